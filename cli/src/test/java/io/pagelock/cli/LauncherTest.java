// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher in a checkout of its own, with a Maven and a Java that only write down how they were called. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "a POSIX shell script")
@Timeout(600)
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
    void startsFromAnArchiveOfTheSameJvmOnly() throws Exception {
        provide("awk");
        String java = "for each; do case $each in\n"
                + "-XX:DumpLoadedClassList=*) echo A >\"${each#*=}\" ;;\n"
                + "-XX:SharedArchiveFile=*) : >>\"${each#*=}\" ;;\n"
                + "-Djna.tmpdir=*) : >\"${each#*=}/jna1.tmp\" ;;\nesac; echo \"[$each]\"; done";
        script(javaHome.resolve("bin/java"), java);
        Result first = run("status");
        String app = jar().getParent().toString();
        assertTrue(first.out().contains("[-XX:SharedArchiveFile=" + app + "/archive]\n"), first.out());
        assertTrue(first.out().contains("[-Djna.boot.library.path=" + app + "/jna]\n"), first.out());
        assertTrue(Files.exists(Path.of(app, "jna", "libjnidispatch.so")));
        script(javaHome.resolve("bin/java"), java + "; :");
        String updated = run("status").out();
        assertFalse(updated.contains("SharedArchiveFile"), updated);
        assertTrue(updated.endsWith("[status]\n"), updated);
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

    private void lockOf(String... lines) throws IOException {
        Files.createDirectories(root.resolve("target/launcher/lock"));
        if (lines.length > 0) {
            Files.write(root.resolve("target/launcher/lock/pid"), List.of(lines));
        }
    }

    private void provide(String... tools) throws IOException {
        for (String tool : tools) {
            Pagelock.needs(tool);
            script(bin.resolve(tool), "exec '" + find(tool) + "' \"$@\"");
        }
    }

    private static String started(long pid) throws Exception {
        Process ps = new ProcessBuilder("ps", "-o", "lstart=", "-p", Long.toString(pid)).start();
        return new String(ps.getInputStream().readAllBytes()).strip();
    }

    @Test
    void lockOfALauncherThatDiedIsTakenOver() throws Exception {
        Process dead = new ProcessBuilder("true").start();
        dead.waitFor();
        lockOf(Long.toString(dead.pid()));
        assertEquals(7, run().status());
        provide("ps");
        lockOf(Long.toString(dead.pid()), started(1));
        touchTheFuture("cli/src/main/java/C.java", 100);
        assertEquals(7, run().status());
        assertEquals(2, builds().size());
    }

    /** The pid is that of another process by now, as after a restart of a container, or was never written. */
    @Test
    void lockOfALauncherWhosePidIsInUseAgainIsTakenOver() throws Exception {
        provide("ps");
        lockOf(Long.toString(ProcessHandle.current().pid()), "Thu Jan  1 00:00:00 1970");
        assertEquals(7, run().status());
        makeNewerThanTheBuild("cli/src/main/java/C.java");
        lockOf();
        Result result = run();
        assertEquals(7, result.status());
        assertEquals("pagelock: waiting for another launcher, which builds\n", result.err());
    }

    @Test
    void aLiveLockIsWaitedForAndNotForever() throws Exception {
        provide("ps");
        environment.put("PAGELOCK_BUILD_WAIT", "2");
        long pid = ProcessHandle.current().pid();
        lockOf(Long.toString(pid), started(pid));
        Result result = run();
        assertEquals(2, result.status());
        assertEquals(
                "pagelock: waiting for another launcher, which builds\n"
                        + "pagelock: another launcher has been building for more than 2 s; end it and try again\n",
                result.err());
        assertTrue(Files.exists(root.resolve("target/launcher/lock/pid")));
        assertEquals(List.of(), builds());
    }

    @Test
    void theProcessOfAnotherUserIsAlive() throws Exception {
        assumeTrue(Pagelock.isRoot(), "needs root to be another user");
        provide("setpriv");
        environment.put("PAGELOCK_BUILD_WAIT", "1");
        lockOf("1");
        openToAll();
        Result result = runAsNobody();
        assertEquals(2, result.status(), result.err());
        assertTrue(result.err().contains("another launcher has been building"), result.err());
    }

    @Test
    void withFlockTheLockEndsWithItsHolder() throws Exception {
        provide("flock");
        Path gate = temp.resolve("gate");
        assertEquals(0, new ProcessBuilder("mkfifo", gate.toString()).start().waitFor());
        Process first = start(root.resolve("pagelock"));
        // To open it waits for its reader, the last process of the build.
        try (OutputStream held = Files.newOutputStream(gate)) {
            environment.put("PAGELOCK_BUILD_WAIT", "1");
            assertTrue(run().err().contains("another launcher has been building for more than 1 s"));
            List<ProcessHandle> all = first.descendants().toList();
            first.destroyForcibly().waitFor();
            all.forEach(ProcessHandle::destroyForcibly);
            all.forEach(each -> each.onExit().join());
        }
        Files.delete(gate);
        // As before it was killed: nothing of the lock that one could find.
        assertEquals(7, run().status());
        assertEquals(2, builds().size());
    }

    private void openToAll() throws IOException {
        for (Path each = temp; each.startsWith("/tmp"); each = each.getParent()) {
            if (each.equals(Path.of("/tmp"))) {
                break;
            }
            Pagelock.open(each);
        }
        try (Stream<Path> all = Files.walk(temp)) {
            for (Path each : all.toList()) {
                Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxrwxrwx"));
            }
        }
    }

    private Result runAsNobody() throws Exception {
        List<String> command = List.of(
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                root.resolve("pagelock").toString());
        ProcessBuilder builder = new ProcessBuilder(command).directory(temp.toFile());
        builder.environment().putAll(environment);
        return end(builder.start());
    }

    @Test
    void aCheckoutThatThisUserCannotWriteFailsAtOnce() throws Exception {
        assumeTrue(Pagelock.isRoot(), "needs root to be another user");
        provide("setpriv");
        openToAll();
        Files.createDirectories(root.resolve("target/launcher"));
        Result result = runAsNobody();
        assertEquals(2, result.status());
        assertEquals(
                "pagelock: needs to be built first, and this user cannot write to " + root.resolve("target/launcher")
                        + "; run it once as the owner\n",
                result.err());
        assertEquals(7, run().status());
        assertEquals(7, runAsNobody().status());
        makeNewerThanTheBuild("cli/src/main/java/C.java");
        assertTrue(runAsNobody().err().contains("(cli/src/main/java/C.java is newer than the build)"));
    }

    private void touchTheFuture(String file, int seconds) throws IOException {
        Files.setLastModifiedTime(
                root.resolve(file), FileTime.from(Instant.now().plusSeconds(seconds)));
    }

    @Test
    void aSourceDatedInTheFutureIsNamedAndBuiltOnce() throws Exception {
        touchTheFuture("core/src/main/java/A.java", 10_000);
        for (int i = 0; i < 2; i++) {
            Result result = run();
            assertEquals(7, result.status(), result.err());
            assertEquals(
                    "pagelock: core/src/main/java/A.java is dated in the future, so a change of it may go unnoticed; run:"
                            + " touch " + root.resolve("core/src/main/java/A.java") + "\n",
                    result.err());
        }
        assertEquals(1, builds().size());
        Files.writeString(root.resolve("core/src/main/java/A.java"), "changed");
        touchTheFuture("core/src/main/java/A.java", 10_000);
        run();
        assertEquals(2, builds().size());
    }

    @Test
    void aClosedOutputIsNotTakenByAFileOfTheProgram() throws Exception {
        run();
        script(javaHome.resolve("bin/java"), "echo lost; echo $? >&2");
        Path closed = temp.resolve("closed");
        script(closed, "exec '" + root.resolve("pagelock") + "' >&-");
        assertTrue(end(start(closed)).err().endsWith("\n1\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"})
    void closedFilesAreReplacedBeforeTheJvmOpensOthers(String closings) throws Exception {
        run();
        script(
                javaHome.resolve("bin/java"),
                "(: 3<&0) 2>/dev/null || exit 10; (: 3>&1) 2>/dev/null || exit 11; (: 3>&2) || exit 12; exit 4");
        Path closed = temp.resolve("closed");
        script(closed, "exec '" + root.resolve("pagelock") + "' " + closings);
        assertEquals(4, end(start(closed)).status());
    }
}
