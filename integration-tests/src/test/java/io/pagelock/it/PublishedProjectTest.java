// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** A Maven project that has nothing of this tree but the README's snippet, over the staged repository. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class PublishedProjectTest {
    private static final String MAIN = LockOnce.class.getName();

    @TempDir
    static Path directory;

    private static Path classes;
    private static Path jars;

    @BeforeAll
    static void buildWithTheReadmesSnippet() throws Exception {
        String snippet = OutsideMaven.first(
                        Files.readString(OutsideMaven.ROOT.resolve("README.md")),
                        "(?s)```xml\\s*(<dependency>.*?</dependency>)")
                .replaceFirst("<version>[^<]*", "<version>" + Staged.version());
        String root = Files.readString(OutsideMaven.ROOT.resolve("pom.xml"));
        StringBuilder plugins = new StringBuilder();
        for (String plugin : List.of("maven-resources-plugin", "maven-compiler-plugin", "maven-dependency-plugin")) {
            plugins.append("<plugin><artifactId>" + plugin + "</artifactId><version>"
                    + OutsideMaven.first(root, "<artifactId>" + plugin + "</artifactId>\\s*<version>([^<]+)")
                    + "</version></plugin>");
        }
        Path project = directory.resolve("project");
        Path sources = Files.createDirectories(project.resolve("src/main/java/io/pagelock/it"));
        Files.writeString(
                project.resolve("pom.xml"),
                "<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId><artifactId>application</artifactId>"
                        + "<version>1</version><properties><maven.compiler.release>17</maven.compiler.release>"
                        + "<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties><dependencies>"
                        + snippet + "</dependencies><build><plugins>" + plugins + "</plugins></build></project>");
        Files.copy(Path.of("src/test/java", MAIN.replace('.', '/') + ".java"), sources.resolve("LockOnce.java"));
        Files.writeString(
                project.resolve("src/main/java/module-info.java"), "module application { requires io.pagelock.all; }");
        new OutsideMaven(directory, Staged.repository(), Staged.version())
                .run(project, "compile", "dependency:copy-dependencies", "-DincludeScope=runtime");
        classes = project.resolve("target/classes");
        jars = project.resolve("target/dependency");
    }

    @Test
    void locksOnTheClassPath() throws Exception {
        PathsTest.assertLocked(
                new ChildJvm()
                        .classPath(jars + "/*:" + classes)
                        .run(LockOnce.class)
                        .toString(),
                false);
    }

    @Test
    void locksOnTheModulePath() throws Exception {
        PathsTest.assertLocked(
                new ChildJvm()
                        .classPath("")
                        .options("-p", jars + ":" + classes)
                        .run("-m", "application/" + MAIN)
                        .toString(),
                true);
    }

    /** JNA needs java.desktop, for a window's handle. */
    @Test
    void locksInALinkedImage() throws Exception {
        Path image = link(Path.of(System.getProperty("java.home")), List.of(classes, jars), "io.pagelock.all");
        PathsTest.assertLocked(
                ChildProcess.of(image.resolve("bin/java").toString(), "-m", "application/" + MAIN)
                        .run()
                        .toString(),
                true);
        assertTrue(modules(image).contains("java.desktop"), modules(image));
        System.out.println("a linked image with JNA has " + megabytes(image) + " MB");
    }

    /** An empty module in JNA's place, since nothing of JNA is loaded where the foreign binding is in use. */
    @Test
    void locksInALinkedImageWithoutJna() throws Exception {
        Path jdk = Jdks.from(22);
        Path small = Files.createDirectories(directory.resolve("without"));
        try (Stream<Path> all = Files.list(jars)) {
            for (Path jar : all.collect(Collectors.toList())) {
                if (!jar.getFileName().toString().startsWith("jna-")) {
                    Files.copy(jar, small.resolve(jar.getFileName()));
                }
            }
        }
        Files.copy(Staged.jar("pagelock-binding-foreign"), small.resolve("binding.jar"));
        Path empty = directory.resolve("empty");
        Path source = Files.writeString(directory.resolve("module-info.java"), "module com.sun.jna {}");
        ChildProcess.of(jdk.resolve("bin/javac").toString(), "-d", empty.toString(), source.toString())
                .run()
                .succeeded();

        Path image = link(jdk, List.of(classes, small, empty), "io.pagelock.binding.foreign");
        PathsTest.assertLocked(
                ChildProcess.of(
                                image.resolve("bin/java").toString(),
                                "--enable-native-access=io.pagelock.binding.foreign",
                                "-m",
                                "application/" + MAIN)
                        .run()
                        .toString(),
                true);
        assertFalse(modules(image).contains("java.desktop"), modules(image));
        System.out.println("a linked image without JNA has " + megabytes(image) + " MB");
    }

    private static Path link(Path jdk, List<Path> path, String module) throws Exception {
        Path image = directory.resolve("image-" + module);
        List<String> command = new ArrayList<>(List.of(jdk.resolve("bin/jlink").toString(), "--strip-debug"));
        command.addAll(List.of("--no-header-files", "--no-man-pages", "--add-modules", "application," + module));
        command.addAll(List.of("--module-path", Jars.path(path), "--output", image.toString()));
        ChildProcess.of(command).run().succeeded();
        return image;
    }

    private static String modules(Path image) {
        return ChildProcess.of(image.resolve("bin/java").toString(), "--list-modules")
                .run()
                .succeeded();
    }

    private static long megabytes(Path image) throws IOException {
        try (Stream<Path> all = Files.walk(image)) {
            return all.filter(Files::isRegularFile)
                            .mapToLong(each -> each.toFile().length())
                            .sum()
                    / 1_000_000;
        }
    }
}
