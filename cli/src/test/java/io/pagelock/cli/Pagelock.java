// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.backend.testkit.standin.OrdinaryUser;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The whole program in a JVM of its own, and the kernel's own account of that process. */
final class Pagelock {
    private static final Predicate<String> NEEDED = entry -> !entry.matches(
            ".*(junit|mockito|byte-buddy|opentest|apiguardian|surefire|objenesis|quicktheories|test-classes).*");

    private final ChildJvm jvm = new ChildJvm().options("-Xmx192m");
    private final Map<String, String> environment = new HashMap<>();
    private String classPath = System.getProperty("java.class.path");
    private Predicate<String> needed = NEEDED;

    static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    /** As an ordinary user with this limit. */
    Pagelock asUserWithLimit(long bytes) {
        return asUserWithLimit(bytes, bytes);
    }

    Pagelock asUserWithLimit(long soft, long hard) {
        needs("prlimit");
        jvm.through(OrdinaryUser.limit(soft, hard));
        if (isRoot()) {
            needs("setpriv");
            jvm.through(OrdinaryUser.WITHOUT_RIGHTS);
            classPath = ChildJvm.classPathForAll();
        }
        return this;
    }

    Pagelock withoutBackends() {
        needed = NEEDED.and(entry -> !entry.contains("backend"));
        return this;
    }

    Pagelock jvmArguments(String... arguments) {
        jvm.options(arguments);
        return this;
    }

    /** Through another program, around those of earlier calls. */
    Pagelock through(String... words) {
        jvm.through(words);
        return this;
    }

    Pagelock with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    static void needs(String tool) {
        assumeTrue(
                Arrays.stream(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, tool))),
                tool + " is not installed");
    }

    /** Lets any user in. */
    static void open(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** The command that runs it, without arguments. */
    List<String> command() {
        return jvm.classPath(Arrays.stream(classPath.split(File.pathSeparator))
                        .filter(needed)
                        .collect(Collectors.joining(File.pathSeparator)))
                .command(Main.class.getName());
    }

    Running start(Object... args) throws IOException {
        List<String> command = command();
        Arrays.stream(args).map(Object::toString).forEach(command::add);
        return start(command);
    }

    /** Runs a shell script in which {@code "$@"} is the program, for arguments and redirections that Java has none for. */
    Running startIn(String script) throws IOException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", script, "sh"));
        command.addAll(command());
        return start(command);
    }

    private Running start(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        return new Running(builder.start());
    }

    static final class Running implements AutoCloseable {
        private final Process process;
        private final Output out;
        private final Output err;

        private Running(Process process) {
            this.process = process;
            out = new Output(process.getInputStream());
            err = new Output(process.getErrorStream());
        }

        long pid() {
            return process.pid();
        }

        Running awaitReady() throws InterruptedException {
            assertTrue(out.await("ready"), this::toString);
            return this;
        }

        Running awaitLineOnStandardError(String pattern) throws InterruptedException {
            assertTrue(err.await(pattern), this::toString);
            return this;
        }

        /** What the kernel counts as locked by the process. */
        long lockedBytes() {
            return ProcWitness.lockedBytes(Long.toString(pid()));
        }

        Running signal(String name) throws IOException, InterruptedException {
            assertEquals(
                    0,
                    new ProcessBuilder("kill", "-" + name, Long.toString(pid()))
                            .start()
                            .waitFor());
            return this;
        }

        /** Waits until such a line is among those on standard error, in whatever order they come. */
        void awaitOnStandardError(String pattern) throws InterruptedException {
            while (err().lines().noneMatch(line -> line.matches(pattern))) {
                assertTrue(process.isAlive(), this::toString);
                Thread.sleep(20);
            }
        }

        /** Waits for the end, and for all that was printed; returns the status. */
        int end() throws InterruptedException {
            int status = process.waitFor();
            out.join();
            err.join();
            return status;
        }

        /** Waits for the end, which must come with this status. */
        Running expect(int status) throws InterruptedException {
            int actual = end();
            assertEquals(status, actual, this::toString);
            return this;
        }

        String out() {
            return out.text();
        }

        String err() {
            return err.text();
        }

        JsonObject json() {
            return TestJson.only(out());
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }

        @Override
        public String toString() {
            return "standard output:\n" + out() + "standard error:\n" + err();
        }
    }

    /** Collects an output as it comes. */
    private static final class Output extends Thread {
        private static final String END = new String("end");

        private final InputStream stream;
        private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        private final StringBuffer text = new StringBuffer();

        Output(InputStream stream) {
            this.stream = stream;
            setDaemon(true);
            start();
        }

        @Override
        public void run() {
            try (BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    text.append(line).append('\n');
                    lines.add(line);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                lines.add(END);
            }
        }

        /** Waits until such a line has come; false if the output ended without it. */
        boolean await(String pattern) throws InterruptedException {
            while (true) {
                String line = lines.take();
                if (line == END) {
                    lines.add(END);
                    return false;
                }
                if (line.matches(pattern)) {
                    return true;
                }
            }
        }

        String text() {
            return text.toString();
        }
    }
}
