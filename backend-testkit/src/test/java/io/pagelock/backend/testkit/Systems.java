// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the backends of this tree know of their systems; their jars are built after the testkit, so it is read from the tree. */
public final class Systems {
    private Systems() {}

    /** The names of all backends with rules for a fake kernel. */
    static List<String> names() {
        try (Stream<Path> modules = Files.list(Path.of(".."))) {
            List<String> names = modules.map(module -> module.getFileName().toString())
                    .filter(module -> module.startsWith("backend-"))
                    .map(module -> module.substring("backend-".length()))
                    .filter(name -> Files.exists(file(name, "kernel.tsv")))
                    .sorted()
                    .collect(Collectors.toList());
            if (names.isEmpty()) {
                throw new AssertionError("no backend in " + Path.of("..").toAbsolutePath() + " has a kernel.tsv");
            }
            return names;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<KernelRules> all() {
        return names().stream().map(Systems::of).collect(Collectors.toList());
    }

    /** The rules of a system. */
    public static KernelRules of(String name) {
        try {
            return KernelRules.read(Files.newBufferedReader(file(name, "kernel.tsv")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Facts answers(String name) {
        try {
            return Facts.read(name, Files.newBufferedReader(file(name, "answers.tsv")), 2);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path file(String name, String file) {
        return Path.of("..", "backend-" + name, "src/main/resources/META-INF/pagelock", name, file);
    }
}
