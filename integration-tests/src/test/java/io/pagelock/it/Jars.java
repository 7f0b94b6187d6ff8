// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import io.pagelock.backend.testkit.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The assembled jars, and child JVMs with them. */
final class Jars {
    static final Path DIRECTORY = Path.of(System.getProperty("pagelock.jars"));

    private Jars() {}

    static List<Path> all() {
        return list("");
    }

    /** The libraries and the command. The agent is nobody's library: it carries them, see {@link AssembledJarsTest}. */
    static List<Path> ours() {
        List<Path> ours = list("pagelock-");
        ours.remove(agent());
        return ours;
    }

    static Path agent() {
        return list("pagelock-agent-").get(0);
    }

    /** What an application on Linux has: the API, the Linux backend and what it needs; no command line, no testkit. */
    static List<Path> ofLinuxApplication() {
        return all().stream()
                .filter(jar -> jar.getFileName()
                        .toString()
                        .matches("(pagelock-(core|backend-support|backend-linux)|jna-jpms)-\\d.*"))
                .collect(Collectors.toList());
    }

    static Path jna() {
        return list("jna-").get(0);
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

    /** A JVM with the jars of a Linux application, and the tests. */
    static ChildJvm application() {
        return jvm(ofLinuxApplication());
    }

    /** A JVM with these jars, and the tests. */
    static ChildJvm jvm(List<Path> jars) {
        return new ChildJvm().classPath(path(jars) + ":" + testClasses());
    }
}
