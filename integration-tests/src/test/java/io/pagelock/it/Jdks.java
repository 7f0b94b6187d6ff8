// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Other JDKs of this machine. */
final class Jdks {
    private Jdks() {}

    /** The directory of a JDK of this version or a later one. */
    static Path from(int version) throws IOException {
        if (Runtime.version().feature() >= version) {
            return Path.of(System.getProperty("java.home"));
        }
        List<Path> homes;
        try (Stream<Path> all = Files.list(Path.of("/usr/lib/jvm"))) {
            homes = all.filter(each -> Files.isExecutable(each.resolve("bin/jlink")))
                    .collect(Collectors.toList());
        }
        for (Path home : homes) {
            Optional<String> line = Files.readAllLines(home.resolve("release")).stream()
                    .filter(each -> each.startsWith("JAVA_VERSION=\""))
                    .findFirst();
            if (line.isPresent() && Integer.parseInt(line.get().split("[\".]")[1]) >= version) {
                return home;
            }
        }
        throw new AssertionError("no JDK of " + version + " or later under /usr/lib/jvm");
    }
}
