// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ChildProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** A Gradle project that has nothing of this tree but the README's line, over the staged repository: by Debian's Gradle 4.4. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class GradleProjectTest {
    @Test
    void locksWithTheReadmesLine(@TempDir Path directory) throws Exception {
        boolean isThere = Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(each -> Files.isExecutable(Path.of(each, "gradle")));
        assumeTrue(isThere || System.getenv("CI") != null, "needs gradle");
        String line = OutsideMaven.first(
                        Files.readString(OutsideMaven.ROOT.resolve("README.md")),
                        "(?s)```kotlin\\s*(implementation[^`]*?)\\s*```")
                .replaceFirst("[^:]*\"\\)$", Staged.version() + "\")");
        Path sources = Files.createDirectories(directory.resolve("src/main/java/io/pagelock/it"));
        Files.copy(
                Path.of("src/test/java", LockOnce.class.getName().replace('.', '/') + ".java"),
                sources.resolve("LockOnce.java"));
        Files.writeString(directory.resolve("settings.gradle"), "rootProject.name = 'application'\n");
        Files.writeString(
                directory.resolve("build.gradle"),
                "apply plugin: 'java'\nsourceCompatibility = 11\ntargetCompatibility = 11\nrepositories {\n"
                        + repository(Staged.repository())
                        + repository(Path.of(System.getProperty("pagelock.repository")))
                        + "}\ndependencies {\n" + line + "\n}\n"
                        + "task libraries(type: Copy) { from configurations.runtimeClasspath; into 'libraries' }\n");
        ChildProcess.of(
                        "gradle",
                        "--offline",
                        "--no-daemon",
                        "--stacktrace",
                        "--gradle-user-home",
                        directory.resolve("home").toString(),
                        "--project-dir",
                        directory.toString(),
                        "classes",
                        "libraries")
                .run()
                .succeeded();
        PathsTest.assertLocked(
                new ChildJvm()
                        .classPath(
                                directory.resolve("libraries") + "/*:" + directory.resolve("build/classes/java/main"))
                        .run(LockOnce.class)
                        .toString(),
                false);
    }

    private static String repository(Path path) {
        return "    maven { url '" + path.toUri() + "' }\n";
    }
}
