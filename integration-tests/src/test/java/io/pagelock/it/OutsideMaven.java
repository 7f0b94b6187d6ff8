// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Maven for projects outside this build. It resolves our artifacts from a repository laid out here, and everything else from
 * what this build has fetched.
 */
final class OutsideMaven {
    static final Path ROOT = Path.of("..");

    final String version;
    private final Path directory;
    private final Path settings;

    /** Takes our artifacts from a repository that exists. */
    OutsideMaven(Path directory, Path repository, String version) throws IOException {
        this.directory = directory;
        this.version = version;
        settings = settings(directory, repository);
    }

    OutsideMaven(Path directory) throws IOException {
        this.directory = directory;
        version = first(
                Files.readString(ROOT.resolve("pom.xml")),
                "<artifactId>pagelock-parent</artifactId>\\s*<version>([^<]+)");
        publish("pagelock-parent", ROOT.resolve("pom.xml"));
        for (String module : List.of("core", "backend-support", "backend-testkit")) {
            publish("pagelock-" + module, ROOT.resolve(module).resolve("pom.xml"));
        }
        settings = settings(directory, directory.resolve("repository"));
    }

    private static Path settings(Path directory, Path repository) throws IOException {
        return Files.writeString(
                directory.resolve("settings.xml"),
                "<settings><mirrors><mirror><id>fetched</id><url>"
                        + Path.of(System.getProperty("pagelock.repository")).toUri()
                        + "</url><mirrorOf>*,!outside</mirrorOf></mirror></mirrors>"
                        + "<profiles><profile><id>ours</id><repositories><repository><id>outside</id><url>"
                        + repository.toUri()
                        + "</url></repository></repositories></profile></profiles>"
                        + "<activeProfiles><activeProfile>ours</activeProfile></activeProfiles></settings>");
    }

    private void publish(String artifact, Path pom) throws IOException {
        Path target =
                directory.resolve("repository/io/pagelock").resolve(artifact).resolve(version);
        Files.createDirectories(target);
        Files.copy(pom, target.resolve(artifact + "-" + version + ".pom"));
        Path jar = Jars.DIRECTORY.resolve(artifact + "-" + version + ".jar");
        if (!artifact.equals("pagelock-parent")) {
            Files.copy(jar, target.resolve(jar.getFileName().toString()));
        }
    }

    /** Runs the tests of a project, which must pass, and returns what Maven printed. */
    String test(Path project, int atLeast) throws IOException, InterruptedException {
        String output = run(project, "test");
        Matcher ran = Pattern.compile(
                        "Tests run: (\\d+), Failures: 0, Errors: 0, Skipped: (\\d+)\\s*$", Pattern.MULTILINE)
                .matcher(output);
        assertTrue(ran.find(), output);
        int passed = Integer.parseInt(ran.group(1)) - Integer.parseInt(ran.group(2));
        assertTrue(passed > atLeast, output);
        assertFalse(Files.exists(Path.of(System.getProperty("pagelock.repository"), "org", "example")));
        return output;
    }

    /** Runs Maven in a project, which must succeed, and returns what it printed. */
    String run(Path project, String... arguments) {
        return end(project, arguments).succeeded();
    }

    /** Runs Maven in a project, which may fail. */
    ChildProcess.Ended end(Path project, String... arguments) {
        List<String> command =
                new ArrayList<>(List.of("mvn", "-B", "-ntp", "-f", project.toString(), "-s", settings.toString()));
        command.add("-Dmaven.repo.local=" + directory.resolve("local"));
        command.addAll(List.of(arguments));
        return ChildProcess.of(command).run();
    }

    static void copy(Path from, Path to) throws IOException {
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

    static String first(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertTrue(matcher.find(), pattern);
        return matcher.group(1);
    }
}
