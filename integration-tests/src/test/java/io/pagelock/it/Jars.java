// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The assembled jars, and child JVMs that use them. */
final class Jars {
    static final Path DIRECTORY = Path.of(System.getProperty("pagelock.jars"));

    private Jars() {}

    static List<Path> all() {
        return list("");
    }

    static List<Path> ours() {
        return list("pagelock-");
    }

    /** What an application on Linux has: the API, the Linux backend and what it needs; no command line, no testkit. */
    static List<Path> ofLinuxApplication() {
        return all().stream()
                .filter(jar -> jar.getFileName()
                        .toString()
                        .matches("(pagelock-(core|backend-support|backend-linux)|jna)-\\d.*"))
                .collect(Collectors.toList());
    }

    private static List<Path> list(String prefix) {
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            return files.filter(file -> file.getFileName().toString().startsWith(prefix)
                            && file.toString().endsWith(".jar"))
                    .sorted()
                    .collect(Collectors.toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String path(List<Path> entries) {
        return entries.stream().map(Path::toString).collect(Collectors.joining(":"));
    }

    /** The directory of the compiled tests, where the main classes of child JVMs are. */
    static Path testClasses() {
        try {
            return Path.of(Jars.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs a program to its end and returns what it printed on both channels, after its exit status and a line feed. */
    static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (!process.waitFor(300, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(command + " does not end; it printed " + output);
        }
        return process.exitValue() + "\n" + output;
    }

    static String java(String... arguments) throws IOException, InterruptedException {
        return java(List.of(), arguments);
    }

    /** Runs a JVM through another program, such as env. */
    static String java(List<String> through, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(through);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(List.of(arguments));
        return run(command);
    }
}
