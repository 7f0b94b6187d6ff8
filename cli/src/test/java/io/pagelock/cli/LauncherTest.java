// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher in a checkout of its own, with a Maven and a Java that only write down how they were called. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "a POSIX shell script")
@Timeout(120)
class LauncherTest {
    private static final Path SCRIPT = Path.of("..", "pagelock");
    private static final List<String> TOOLS = List.of(
            "cp",
            "readlink",
            "dirname",
            "find",
            "head",
            "cat",
            "ls",
            "grep",
            "mkdir",
            "mv",
            "rm",
            "sed",
            "sleep",
            "stty");

    @TempDir
    Path temp;

    private Path root;
    private Path bin;
    private Path javaHome;
    private final Map<String, String> environment = new HashMap<>();

    /** How a run of the launcher ended. */
    private record Result(int status, String out, String err, long pid) {}

    @BeforeEach
    void makeCheckout() throws IOException {
        root = Files.createDirectories(temp.resolve("a checkout"));
        Files.copy(SCRIPT, root.resolve("pagelock"));
        for (String file : List.of(
                "pom.xml",
                "core/pom.xml",
                "core/src/main/java/A.java",
                "core/src/test/java/ATest.java",
                "backend-linux/src/main/java/B.java",
                "cli/src/main/java/C.java",
                "cli/src/main/java/D.java")) {
            Files.createDirectories(root.resolve(file).getParent());
            Files.createFile(root.resolve(file));
        }
        bin = Files.createDirectory(temp.resolve("bin"));
        for (String tool : TOOLS) {
            script(bin.resolve(tool), "exec '" + find(tool) + "' \"$@\"");
        }
        // Noisy, as Maven is.
        script(
                bin.resolve("mvn"),
                "echo noise; echo noise >&2; echo \"$@\" >>'" + temp + "/builds'\n"
                        + "[ ! -e '" + temp + "/gate' ] || cat '" + temp + "/gate'\n"
                        + "[ ! -e '" + temp + "/broken' ] || exit 1\n"
                        + "mkdir -p '" + root + "/cli/target/lib' && : >'" + root + "/cli/target/pagelock-cli-1.jar'\n"
                        + ": >'" + root + "/cli/target/pagelock-cli-1-sources.jar'");
        javaHome = temp.resolve("a jdk");
        script(javaHome.resolve("bin/java"), "echo pid $$; for each; do echo \"[$each]\"; done; exit 7");
        script(javaHome.resolve("bin/javac"), "exit 99");
        environment.put("PATH", bin.toString());
        environment.put("JAVA_HOME", javaHome.toString());
    }

    private static Path find(String tool) {
        return Arrays.stream(System.getenv("PATH").split(":"))
                .map(directory -> Path.of(directory, tool))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow();
    }

    private static void script(Path path, String text) throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, "#!" + find("sh") + "\n" + text + "\n");
        assertTrue(path.toFile().setExecutable(true));
    }

    private Process start(Path launcher, String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).directory(temp.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static Result end(Process process) throws IOException, InterruptedException {
        String out = new String(process.getInputStream().readAllBytes());
        String err = new String(process.getErrorStream().readAllBytes());
        return new Result(process.waitFor(), out, err, process.pid());
    }

    private Result run(String... args) throws IOException, InterruptedException {
        return end(start(root.resolve("pagelock"), args));
    }

    private List<String> builds() throws IOException {
        Path builds = temp.resolve("builds");
        return Files.exists(builds) ? Files.readAllLines(builds) : List.of();
    }

    private void makeNewerThanTheBuild(String file) throws IOException {
        long built =
                Files.getLastModifiedTime(root.resolve("target/launcher/built")).toMillis();
        Files.setLastModifiedTime(root.resolve(file), FileTime.fromMillis(built + 10));
    }

    @Test
    void buildsOnceQuietlyAndRunsWithStatusAndArgumentsOfTheProgram() throws Exception {
        Result first = run("hold", "a b", "", "*", "c\nd");
        assertEquals(7, first.status());
        assertEquals("", first.err());
        assertTrue(first.out().startsWith("pid "), first.out());
        assertTrue(first.out().endsWith("[-jar]\n[" + jar() + "]\n[hold]\n[a b]\n[]\n[*]\n[c\nd]\n"), first.out());
        assertEquals(7, run().status());
        assertEquals(List.of("-q -B -DskipTests -f " + root + "/pom.xml -pl cli -am package"), builds());
    }

    @Test
    void becomesTheProgramSoThatSignalsReachIt() throws Exception {
        Result result = run();
        assertTrue(result.out().startsWith("pid " + result.pid() + "\n"), result.out());
    }

    @Test
    void runsInASmallJvm() throws Exception {
        environment.put("PAGELOCK_OPTS", "-Xmx1g -Da=b");
        String out = run().out();
        assertTrue(out.contains("[-XX:+UseSerialGC]\n"), out);
        assertTrue(out.indexOf("[-Xmx192m]\n") < out.indexOf("[-Xmx1g]\n[-Da=b]\n"), out);
    }

    @Test
    void buildsAgainOnlyIfAMainSourceIsNewer() throws Exception {
        run();
        makeNewerThanTheBuild("core/src/test/java/ATest.java");
        run();
        assertEquals(1, builds().size());
        makeNewerThanTheBuild("backend-linux/src/main/java/B.java");
        run();
        assertEquals(2, builds().size());
    }

    @Test
    void buildsAgainIfAPomIsNewer() throws Exception {
        run();
        makeNewerThanTheBuild("core/pom.xml");
        run();
        assertEquals(2, builds().size());
    }

    @Test
    void buildsAgainIfASourceIsGone() throws Exception {
        run();
        Files.delete(root.resolve("cli/src/main/java/D.java"));
        makeNewerThanTheBuild("cli/src/main/java");
        run();
        assertEquals(2, builds().size());
    }

    @Test
    void buildsAgainAfterClean() throws Exception {
        run();
        deleteAll(root.resolve("target"));
        run();
        assertEquals(2, builds().size());
    }

    private static void deleteAll(Path top) throws IOException {
        try (Stream<Path> all = Files.walk(top)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }

    @Test
    void runsFromACopyThatALaterBuildDoesNotOverwrite() throws Exception {
        run();
        Path jar = jar();
        makeNewerThanTheBuild("core/pom.xml");
        run();
        assertFalse(Files.exists(jar));
        assertFalse(jar.equals(jar()));
    }

    /** The jar that is run. */
    private Path jar() throws IOException {
        Path state = root.resolve("target/launcher");
        Path app = state.resolve(Files.readString(state.resolve("current")).strip());
        assertTrue(Files.isDirectory(app.resolve("lib")));
        return app.resolve("pagelock-cli-1.jar");
    }

    @Test
    void worksThroughSymbolicLinks() throws Exception {
        Path first = Files.createSymbolicLink(temp.resolve("first link"), Path.of("a checkout", "pagelock"));
        Path second = Files.createSymbolicLink(temp.resolve("second link"), first);
        Result result = end(start(second, "doctor"));
        assertEquals(7, result.status(), result.err());
        assertTrue(result.out().contains("[" + jar() + "]"), result.out());
    }

    @Test
    void failedBuildShowsWhatMavenSaidAndIsTriedAgain() throws Exception {
        Files.createFile(temp.resolve("broken"));
        Result result = run();
        assertEquals(2, result.status());
        assertEquals("", result.out());
        assertTrue(result.err().startsWith("noise\nnoise\npagelock: the build failed"), result.err());
        Files.delete(temp.resolve("broken"));
        assertEquals(7, run().status());
    }

    @Test
    void missingMavenIsSaid() throws Exception {
        Files.delete(bin.resolve("mvn"));
        Result result = run();
        assertEquals(2, result.status());
        assertTrue(result.err().contains("no Maven found; install Maven"), result.err());
    }

    @Test
    void missingJdkIsSaid() throws Exception {
        Files.delete(javaHome.resolve("bin/javac"));
        Result result = run();
        assertEquals(2, result.status());
        assertTrue(result.err().contains("JAVA_HOME, " + javaHome + ", is no JDK"), result.err());
        Files.delete(javaHome.resolve("bin/java"));
        assertTrue(run().err().contains("JAVA_HOME is " + javaHome + ", which holds no bin/java"));
        environment.remove("JAVA_HOME");
        assertTrue(run().err().contains("no Java found; install a JDK"));
        assertEquals(List.of(), builds());
    }

    @Test
    void mavenAndJdkAreNotNeededOnceBuilt() throws Exception {
        run();
        Files.delete(bin.resolve("mvn"));
        Files.delete(javaHome.resolve("bin/javac"));
        assertEquals(7, run().status());
    }

    @Test
    void javaOnThePathServesWithoutJavaHome() throws Exception {
        environment.remove("JAVA_HOME");
        Files.createSymbolicLink(bin.resolve("java"), javaHome.resolve("bin/java"));
        Files.createSymbolicLink(bin.resolve("javac"), javaHome.resolve("bin/javac"));
        assertEquals(7, run().status());
    }

    @Test
    void twoAtOnceBuildOnce() throws Exception {
        Path gate = temp.resolve("gate");
        assertEquals(0, new ProcessBuilder("mkfifo", gate.toString()).start().waitFor());
        Process first = start(root.resolve("pagelock"));
        Process second = start(root.resolve("pagelock"));
        Files.writeString(gate, "go");
        assertEquals(7, end(first).status());
        assertEquals(7, end(second).status());
        assertEquals(1, builds().size());
        assertFalse(Files.exists(root.resolve("target/launcher/lock")));
    }

    @Test
    void lockOfALauncherThatDiedIsTakenOver() throws Exception {
        Process dead = new ProcessBuilder("true").start();
        dead.waitFor();
        Files.createDirectories(root.resolve("target/launcher/lock"));
        Files.writeString(root.resolve("target/launcher/lock/pid"), dead.pid() + "\n");
        assertEquals(7, run().status());
    }
}
