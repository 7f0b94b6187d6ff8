// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.ChildProcess.Ended;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs a main class in a separate JVM: a small one that starts quickly, on this JVM's class path, in an empty directory
 * that is also its temporary directory and is deleted when this JVM ends. Use it for tests of things that a process has
 * only once: its limits, its rights, its system properties, its whole address space, its end.
 */
public final class ChildJvm {
    private final List<String> before = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private @Nullable Path java;
    private @Nullable Path directory;
    private String classPath = System.getProperty("java.class.path");
    private Duration bound = Duration.ofMinutes(5);

    /** Makes a JVM that is not yet started. */
    public ChildJvm() {}

    /**
     * Starts the JVM through another program, which comes before those of earlier calls.
     *
     * @param words such as {@code prlimit --memlock=65536}
     * @return this object
     */
    public ChildJvm through(List<String> words) {
        before.addAll(0, words);
        return this;
    }

    /**
     * Starts the JVM through another program, which comes before those of earlier calls.
     *
     * @param words such as {@code prlimit --memlock=65536}
     * @return this object
     */
    public ChildJvm through(String... words) {
        return through(Arrays.asList(words));
    }

    /**
     * Adds options. Later ones override earlier ones and those of this class.
     *
     * @param more before the main class
     * @return this object
     */
    public ChildJvm options(String... more) {
        Collections.addAll(options, more);
        return this;
    }

    /**
     * Sets the class path; without this call, it is that of this JVM.
     *
     * @param path entries with the path separator between them, or nothing if the options have a module path instead
     * @return this object
     */
    public ChildJvm classPath(String path) {
        classPath = path;
        return this;
    }

    /**
     * Sets which JVM it is; without this call, it is one like this.
     *
     * @param program the {@code java} to start, of any version; it gets no option about native access from this class
     * @return this object
     */
    public ChildJvm java(Path program) {
        java = program;
        return this;
    }

    /**
     * Sets the working directory.
     *
     * @param path the directory
     * @return this object
     */
    public ChildJvm in(Path path) {
        directory = path;
        return this;
    }

    /**
     * Sets how long it may take; five minutes without this call.
     *
     * @param time rounded down to milliseconds
     * @return this object
     */
    public ChildJvm within(Duration time) {
        bound = time;
        return this;
    }

    /**
     * Runs the JVM to its end.
     *
     * @param main the main class
     * @param arguments its arguments
     * @return what became of it
     */
    public Ended run(Class<?> main, String... arguments) {
        return run(main.getName(), arguments);
    }

    /**
     * Runs the JVM to its end.
     *
     * @param main the name of the main class, or {@code -m}
     * @param arguments its arguments
     * @return what became of it
     */
    public Ended run(String main, String... arguments) {
        Path home = directoryForAll();
        List<String> temporary = new ArrayList<>(Collections.singletonList("-Djava.io.tmpdir=" + home));
        if (options.stream().noneMatch(each -> each.startsWith("-Djna.tmpdir"))) {
            temporary.add("-Djna.tmpdir=" + home);
        }
        return ChildProcess.of(command(temporary, main, arguments))
                .in(directory == null ? home : directory)
                .within(bound)
                .run();
    }

    /**
     * Returns the words that start the JVM, for a test that starts it by itself. It has the temporary directory of this JVM.
     *
     * @param main the name of the main class
     * @param arguments its arguments
     * @return a new list
     */
    public List<String> command(String main, String... arguments) {
        return command(Collections.emptyList(), main, arguments);
    }

    private List<String> command(List<String> temporary, String main, String... arguments) {
        List<String> command = new ArrayList<>(before);
        if (java != null) {
            command.add(java.toString());
        } else {
            command.add(
                    Paths.get(System.getProperty("java.home"), "bin", "java").toString());
            // From 22 on there would be a warning without it, and earlier JVMs do not know it.
            if (!System.getProperty("java.specification.version").matches("1\\.8|9|1\\d|2[01]")) {
                command.add("--enable-native-access=ALL-UNNAMED");
            }
        }
        // Small and quick to start; another collector and its threads would only add mappings.
        Collections.addAll(command, "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData");
        command.addAll(temporary);
        command.addAll(options);
        if (!classPath.isEmpty()) {
            Collections.addAll(command, "-cp", classPath);
        }
        command.add(main);
        Collections.addAll(command, arguments);
        return command;
    }

    /**
     * Returns this JVM's class path, in copies that every user can read, unlike those below a home directory.
     *
     * @return entries with the path separator between them
     */
    public static String classPathForAll() {
        return Shared.CLASS_PATH;
    }

    /**
     * Returns a new empty directory that every user may read and write. It is deleted when this JVM ends.
     *
     * @return an absolute path
     */
    public static Path directoryForAll() {
        try {
            return open(Files.createTempDirectory(Shared.DIRECTORY, "home"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Copies a file or a directory with all that is in it, so that every user can read, write and run it.
     *
     * @param from what is copied
     * @param to where to, below directories that are made if there are none
     * @throws IOException if it cannot be copied
     */
    public static void copyForAll(Path from, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        for (Path each : all(from)) {
            open(Files.copy(each, to.resolve(from.relativize(each).toString())));
        }
    }

    private static Path open(Path path) throws IOException {
        return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    private static List<Path> all(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.collect(Collectors.toList());
        }
    }

    /** Made when it is first needed, and deleted when this JVM ends. */
    private static final class Shared {
        static final Path DIRECTORY = create();
        static final String CLASS_PATH = Arrays.stream(
                        System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Paths::get)
                .filter(Files::exists)
                .map(Shared::copied)
                .collect(Collectors.joining(File.pathSeparator));

        private static Path create() {
            try {
                Path directory = open(Files.createTempDirectory("pagelock"));
                Runtime.getRuntime().addShutdownHook(new Thread(Shared::delete));
                return directory;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void delete() {
            try {
                List<Path> all = all(DIRECTORY);
                Collections.reverse(all);
                for (Path each : all) {
                    Files.delete(each);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static String copied(Path entry) {
            // By its whole name, so that no two are the same.
            Path to = Paths.get(
                    DIRECTORY.toString(),
                    "classes",
                    entry.toAbsolutePath().normalize().toString());
            try {
                copyForAll(entry, to);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return to.toString();
        }
    }
}
