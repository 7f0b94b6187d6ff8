// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A backend outside this tree: a Maven project that knows the published artifacts only passes the contract and is found by
 * ServiceLoader. It resolves ours from a repository laid out here, and everything else from what this build has fetched.
 */
class OutsideBackendTest {
    private static final Path ROOT = Path.of("..");

    @Test
    void passesTheContractAndIsFound(@TempDir Path directory) throws Exception {
        String version =
                first(read(ROOT.resolve("pom.xml")), "<artifactId>pagelock-parent</artifactId>\\s*<version>([^<]+)");
        Path repository = directory.resolve("repository");
        publish(repository, version, "pagelock-parent", ROOT.resolve("pom.xml"));
        publish(repository, version, "pagelock-core", ROOT.resolve("core/pom.xml"));
        publish(repository, version, "pagelock-backend-support", ROOT.resolve("backend-support/pom.xml"));
        publish(repository, version, "pagelock-backend-testkit", ROOT.resolve("backend-testkit/pom.xml"));
        Path project = directory.resolve("toy");
        copy(Path.of("src/test/resources/outside"), project);
        fill(project.resolve("pom.xml"), repository, version);
        Path settings = directory.resolve("settings.xml");
        Files.writeString(
                settings,
                "<settings><mirrors><mirror><id>fetched</id><url>"
                        + Path.of(System.getProperty("pagelock.repository")).toUri()
                        + "</url><mirrorOf>*,!outside</mirrorOf></mirror></mirrors></settings>");
        String output = Jars.run(List.of(
                "mvn",
                "-B",
                "-f",
                project.toString(),
                "-s",
                settings.toString(),
                "-Dmaven.repo.local=" + directory.resolve("local"),
                "test"));
        assertTrue(output.startsWith("0\n"), output);
        assertTrue(output.contains("Running org.example.toy.ToyContractTest"), output);
        Matcher ran = Pattern.compile(
                        "Tests run: (\\d+), Failures: 0, Errors: 0, Skipped: (\\d+)\\s*$", Pattern.MULTILINE)
                .matcher(output);
        assertTrue(ran.find(), output);
        int passed = Integer.parseInt(ran.group(1)) - Integer.parseInt(ran.group(2));
        assertTrue(passed > 30, output);
        assertFalse(Files.exists(Path.of(System.getProperty("pagelock.repository"), "org", "example")));
    }

    private static void publish(Path repository, String version, String artifact, Path pom) throws IOException {
        Path target = repository.resolve("io/pagelock").resolve(artifact).resolve(version);
        Files.createDirectories(target);
        Files.copy(pom, target.resolve(artifact + "-" + version + ".pom"));
        Path jar = Jars.DIRECTORY.resolve(artifact + "-" + version + ".jar");
        if (!artifact.equals("pagelock-parent")) {
            Files.copy(jar, target.resolve(jar.getFileName().toString()));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
    }

    private static void fill(Path file, Path repository, String version) throws IOException {
        String root = read(ROOT.resolve("pom.xml"));
        String text = read(file)
                .replace("@repository@", repository.toUri().toString())
                .replace("@version@", version)
                .replace("@junit@", first(root, "<version.junit>([^<]+)"));
        for (String plugin : List.of("maven-resources-plugin", "maven-compiler-plugin", "maven-surefire-plugin")) {
            text = text.replace(
                    "@" + plugin + "@", first(root, "<artifactId>" + plugin + "</artifactId>\\s*<version>([^<]+)"));
        }
        Files.writeString(file, text);
    }

    private static String first(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertTrue(matcher.find(), pattern);
        return matcher.group(1);
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file);
    }
}
