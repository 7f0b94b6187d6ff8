// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import io.pagelock.backend.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a release publishes, built once for all tests by {@code tools/stage-release}; {@code -Dpagelock.staged=DIRECTORY} names one that
 * was staged before, to be used instead.
 */
final class Staged {
    private static Path directory;

    private Staged() {}

    static synchronized Path directory() throws IOException {
        if (directory == null) {
            String given = System.getProperty("pagelock.staged", "");
            directory = given.isEmpty() ? stage(Path.of("target", "staged"), List.of()) : Path.of(given);
        }
        return directory;
    }

    /** Stages the tree through another program, such as env. */
    static Path stage(Path target, List<String> through) {
        List<String> command = new ArrayList<>(through);
        command.addAll(List.of("../tools/stage-release", target.toString()));
        ChildProcess.of(command).within(Duration.ofMinutes(20)).run().succeeded();
        return target.toAbsolutePath();
    }

    static Path repository() throws IOException {
        return directory().resolve("repository");
    }

    /** The directory of the one version of each artifact. */
    static List<Path> artifacts(Path repository) throws IOException {
        try (Stream<Path> all = Files.walk(repository.resolve("io/pagelock"), 2)) {
            return all.filter(each ->
                            repository.resolve("io/pagelock").relativize(each).getNameCount() == 2)
                    .filter(Files::isDirectory)
                    .sorted()
                    .collect(Collectors.toList());
        }
    }

    static String version() throws IOException {
        return artifacts(repository()).get(0).getFileName().toString();
    }

    static Path jar(String artifact) throws IOException {
        return repository()
                .resolve("io/pagelock")
                .resolve(artifact)
                .resolve(version())
                .resolve(artifact + "-" + version() + ".jar");
    }
}
