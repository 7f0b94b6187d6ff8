// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs a main class in a JVM of its own, in a {@link Life} of its choice, on a copy of the class path that anyone may read.
 * Only root can give lives away; elsewhere such tests are skipped, but never in CI.
 */
final class ChildJvm {
    private final Life life;
    private final List<String> jvmArguments = new ArrayList<>();
    private final List<String> wrapper = new ArrayList<>();
    private String classPath;
    private Duration bound = Duration.ofMinutes(3);

    private ChildJvm(Life life) {
        this.life = life;
    }

    static ChildJvm in(Life life) {
        if (!"true".equals(System.getenv("CI"))) {
            assumeTrue(
                    life == Life.ROOT || Witness.status("Uid").startsWith("0"),
                    "only root can run a process as " + life);
        }
        if (life == Life.USER_UNLIMITED) {
            // Root of a container often has not this right.
            assumeTrue(
                    Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[1] == -1 || mayRaiseLimits(),
                    "this process may not raise its own limit, so it cannot give one away");
        }
        return new ChildJvm(life);
    }

    /** CAP_SYS_RESOURCE. */
    private static boolean mayRaiseLimits() {
        return (Long.parseUnsignedLong(Witness.status("CapEff"), 16) >>> 24 & 1) == 1;
    }

    ChildJvm jvmArguments(String... more) {
        jvmArguments.addAll(List.of(more));
        return this;
    }

    /** Words before those of the life. */
    ChildJvm wrappedIn(String... words) {
        wrapper.addAll(List.of(words));
        return this;
    }

    ChildJvm classPath(String value) {
        classPath = value;
        return this;
    }

    /** How long it may take before it counts as hung. */
    ChildJvm within(Duration time) {
        bound = time;
        return this;
    }

    /** Runs to the end. */
    Result run(Class<?> main, String... arguments) {
        return run(main.getName(), arguments);
    }

    Result run(String main, String... arguments) {
        try {
            Path home = Files.createTempDirectory(
                    "pagelock", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxrwxrwx")));
            Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxrwxrwx"));
            List<String> command = new ArrayList<>(wrapper);
            command.addAll(life.command());
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            // Small and quick to start; the collector and its threads would only add mappings.
            command.addAll(List.of(
                    "-Xmx96m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-XX:-UsePerfData",
                    "-Djava.io.tmpdir=" + home));
            if (jvmArguments.stream().noneMatch(each -> each.startsWith("-Djna.tmpdir"))) {
                command.add("-Djna.tmpdir=" + home);
            }
            if (Runtime.version().feature() >= 22) {
                command.add("--enable-native-access=ALL-UNNAMED");
            }
            command.addAll(jvmArguments);
            command.addAll(List.of("-cp", classPath == null ? ClassPathCopy.PATH : classPath, main));
            command.addAll(List.of(arguments));
            Path out = Files.createTempFile("pagelock", ".out");
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .directory(home.toFile())
                    .start();
            boolean ended = process.waitFor(bound.toSeconds(), TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            String text = Files.readString(out, StandardCharsets.UTF_8);
            Files.delete(out);
            delete(home);
            return new Result(
                    ended ? process.exitValue() : -1, (ended ? "" : "ended after " + bound + "\n") + text, life);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            all.sorted((one, other) -> other.compareTo(one)).map(Path::toFile).forEach(File::delete);
        }
    }

    /** What became of it. */
    record Result(int exit, String output, Life life) {
        /** Fails with everything that the process printed unless it ended well. */
        Result succeeded() {
            assertEquals(0, exit, () -> life + ":\n" + output);
            return this;
        }
    }

    /** The class path in a place that a user without rights can read, such as not /root. */
    private static final class ClassPathCopy {
        static final String PATH = copy();

        private static String copy() {
            try {
                Path to = Files.createTempDirectory(
                        "pagelock-classes",
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
                Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                    try {
                        delete(to);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }));
                List<String> entries = new ArrayList<>();
                String[] parts = System.getProperty("java.class.path").split(File.pathSeparator);
                for (int i = 0; i < parts.length; i++) {
                    Path from = Path.of(parts[i]);
                    if (Files.exists(from) && !from.toString().matches(".*(mockito|byte-buddy|quicktheories).*")) {
                        Path target = to.resolve(i + "-" + from.getFileName());
                        copy(from, target);
                        entries.add(target.toString());
                    }
                }
                return String.join(File.pathSeparator, entries);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void copy(Path from, Path to) throws IOException {
            try (Stream<Path> all = Files.walk(from)) {
                for (Path each : (Iterable<Path>) all::iterator) {
                    Path target = each.equals(from)
                            ? to
                            : to.resolve(from.relativize(each).toString());
                    Files.copy(each, target);
                    Files.setPosixFilePermissions(
                            target,
                            PosixFilePermissions.fromString(Files.isDirectory(target) ? "rwxr-xr-x" : "rw-r--r--"));
                }
            }
        }
    }
}
