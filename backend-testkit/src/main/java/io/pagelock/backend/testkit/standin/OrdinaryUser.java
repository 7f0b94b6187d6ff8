// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.pagelock.backend.testkit.ProcWitness;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;
import org.opentest4j.TestAbortedException;

/**
 * Runs tests in a JVM of its own as a user without any right, whom the Linux underneath a stand-in binds by
 * {@code RLIMIT_MEMLOCK}. Needs root, setpriv(1) and prlimit(1); without them the test is skipped with that reason, but where
 * the environment variable {@code CI} is set, it fails.
 */
public final class OrdinaryUser {
    private static final String NOBODY = "65534";
    private static final long PATIENCE_SECONDS = 300;
    private static final int ALL_SKIPPED = 3;

    private OrdinaryUser() {}

    /**
     * Runs a test class, with its nested ones, and fails with all that it printed unless every test passed or was skipped, and
     * most passed. It runs on copies of the class path and of {@code src/test}, since that user may not read ours.
     *
     * @param tests the class
     * @param limit soft and hard limit of locked memory in bytes
     */
    public static void passes(Class<?> tests, long limit) {
        if ("32".equals(System.getProperty("sun.arch.data.model"))) {
            // setpriv drops LD_LIBRARY_PATH, which the unpacked JVM needs.
            throw new TestAbortedException("not on 32 bits: another user's JVM does not find its libraries");
        }
        if (!Files.exists(Paths.get("/proc/self/status"))) {
            throw new TestAbortedException("a stand-in needs Linux underneath");
        }
        Path home = null;
        try {
            home = Files.createTempDirectory("pagelock");
            Path out = home.resolve("out");
            List<String> command = command(limit);
            command.addAll(Arrays.asList(
                    Paths.get(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx96m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-XX:-UsePerfData",
                    "-Djava.io.tmpdir=" + home,
                    "-Djna.tmpdir=" + home));
            // From 22 on there would be a warning without it, and earlier JVMs do not know it.
            if (!System.getProperty("java.specification.version").matches("1\\.8|9|1\\d|2[01]")) {
                command.add("--enable-native-access=ALL-UNNAMED");
            }
            command.addAll(Arrays.asList(
                    "-cp", copyOfClassPath(home), OrdinaryUser.class.getName(), tests.getName(), Long.toString(limit)));
            copy(Paths.get("src", "test"), home.resolve("src").resolve("test"));
            Files.createDirectory(home.resolve("target"));
            for (Path each : all(home)) {
                Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxrwxrwx"));
            }
            int status = run(command, home, out);
            String text = new String(Files.readAllBytes(out), StandardCharsets.UTF_8);
            if (status == ALL_SKIPPED) {
                throw unavailable("every test was skipped:\n" + text, null);
            }
            if (status != 0) {
                throw new AssertionError(tests.getName() + " as uid " + NOBODY + " with " + limit + " bytes ended with "
                        + status + ":\n" + text);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        } finally {
            delete(home);
        }
    }

    /**
     * Returns the words before a program that is to run as that user. Skips or fails as {@link #passes} does where this process
     * is not root.
     *
     * @param limit soft and hard limit of locked memory in bytes
     * @return a new list
     */
    public static List<String> command(long limit) {
        if (!ProcWitness.status("Uid").startsWith("0")) {
            throw unavailable("only root can run tests as another user", null);
        }
        return new ArrayList<>(Arrays.asList(
                "prlimit",
                "--memlock=" + limit + ":" + limit,
                "setpriv",
                "--reuid=" + NOBODY,
                "--regid=" + NOBODY,
                "--clear-groups",
                "--inh-caps=-all",
                "--ambient-caps=-all",
                "--bounding-set=-all"));
    }

    private static int run(List<String> command, Path home, Path out) throws IOException {
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .directory(home.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
        } catch (IOException e) {
            throw unavailable("no prlimit to limit a process with: " + e.getMessage(), e);
        }
        try {
            if (process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                return process.exitValue();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
        return -1;
    }

    private static AssertionError unavailable(String reason, Throwable cause) {
        if (System.getenv("CI") != null) {
            throw new AssertionError(reason, cause);
        }
        throw new TestAbortedException(reason, cause);
    }

    private static String copyOfClassPath(Path home) throws IOException {
        List<String> copies = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path from = Paths.get(entry);
            if (Files.exists(from)) {
                Path to = home.resolve("classpath").resolve(copies.size() + "-" + from.getFileName());
                copy(from, to);
                copies.add(to.toString());
            }
        }
        return String.join(File.pathSeparator, copies);
    }

    private static void copy(Path from, Path to) throws IOException {
        if (Files.exists(from)) {
            Files.createDirectories(to.getParent());
            for (Path each : all(from)) {
                Files.copy(each, to.resolve(from.relativize(each).toString()));
            }
        }
    }

    private static List<Path> all(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.collect(Collectors.toList());
        }
    }

    private static void delete(Path directory) {
        if (directory == null) {
            return;
        }
        try {
            List<Path> all = all(directory);
            Collections.reverse(all);
            for (Path each : all) {
                Files.delete(each);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Returns the JVM that {@link #passes} starts.
     *
     * @param arguments the test class and the limit
     * @throws ClassNotFoundException if there is no such class
     */
    public static void main(String[] arguments) throws ClassNotFoundException {
        PrintWriter out = new PrintWriter(
                new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), StandardCharsets.UTF_8), true);
        long limit = Long.parseLong(arguments[1]);
        if (!ProcWitness.status("Uid").startsWith(NOBODY) || ProcWitness.roomToLock() != limit) {
            out.println("not an ordinary user with a limit of " + limit + ": uid " + ProcWitness.status("Uid")
                    + ", limit " + ProcWitness.roomToLock());
            System.exit(2);
        }
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Class.forName(arguments[0])))
                                .build(),
                        listener);
        TestExecutionSummary summary = listener.getSummary();
        summary.printFailuresTo(out, 30);
        summary.printTo(out);
        if (summary.getTotalFailureCount() == 0 && summary.getTestsSucceededCount() == 0) {
            System.exit(ALL_SKIPPED);
        }
        boolean passed = summary.getTotalFailureCount() == 0
                && summary.getTestsSucceededCount() > summary.getTestsFoundCount() / 2;
        System.exit(passed ? 0 : 1);
    }
}
