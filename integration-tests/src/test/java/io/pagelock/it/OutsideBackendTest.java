// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A backend outside this tree: a Maven project that knows the published artifacts only passes the contract and is found by
 * ServiceLoader.
 */
class OutsideBackendTest {
    @Test
    void passesTheContractAndIsFound(@TempDir Path directory) throws Exception {
        OutsideMaven maven = new OutsideMaven(directory);
        Path project = directory.resolve("toy");
        OutsideMaven.copy(Path.of("src/test/resources/outside"), project);
        fill(project.resolve("pom.xml"), maven.version);
        String output = maven.test(project, 30);
        assertTrue(output.contains("Running org.example.toy.ToyContractTest"), output);
    }

    private static void fill(Path file, String version) throws IOException {
        String root = Files.readString(OutsideMaven.ROOT.resolve("pom.xml"));
        String text = Files.readString(file)
                .replace("@version@", version)
                .replace("@junit@", OutsideMaven.first(root, "<version.junit>([^<]+)"));
        for (String plugin : List.of("maven-resources-plugin", "maven-compiler-plugin", "maven-surefire-plugin")) {
            text = text.replace(
                    "@" + plugin + "@",
                    OutsideMaven.first(root, "<artifactId>" + plugin + "</artifactId>\\s*<version>([^<]+)"));
        }
        Files.writeString(file, text);
    }
}
