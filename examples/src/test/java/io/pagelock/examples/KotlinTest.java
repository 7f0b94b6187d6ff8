// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ChildProcess;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The example in Kotlin, compiled by Kotlin's compiler, which must know what may be null. */
@EnabledOnOs(OS.LINUX)
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class KotlinTest {
    private static final Path EXAMPLE = Path.of("src/main/kotlin/io/pagelock/examples/Buffer.kt");
    /** JSpecify's annotations are needed as little as by anybody who depends on the library. */
    private static final String CLASS_PATH = Stream.of(
                    System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(each -> !each.contains("jspecify"))
            .collect(Collectors.joining(File.pathSeparator));

    @TempDir
    Path directory;

    private ChildProcess.Ended compile(Path source) {
        return new ChildJvm()
                .options("-Xmx512m")
                .run(
                        "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
                        "-no-stdlib",
                        "-no-reflect",
                        "-Werror",
                        "-classpath",
                        CLASS_PATH,
                        "-d",
                        directory.resolve("classes").toString(),
                        source.toAbsolutePath().toString());
    }

    private void isRefused(String from, String to, String why) throws IOException {
        String example = Files.readString(EXAMPLE);
        String wrong = example.replace(from, to);
        assertNotEquals(example, wrong);
        ChildProcess.Ended ended = compile(Files.writeString(directory.resolve("Wrong.kt"), wrong));
        assertNotEquals(0, ended.status(), ended.toString());
        assertTrue(ended.output().contains(why), ended.toString());
    }

    @Test
    void theExampleRuns() throws IOException {
        compile(EXAMPLE).succeeded();
        assertEquals(
                "65536 bytes locked: true\n",
                new ChildJvm()
                        .classPath(directory.resolve("classes") + File.pathSeparator + CLASS_PATH)
                        .run("io.pagelock.examples.BufferKt")
                        .succeeded());
    }

    @Test
    void whatMayBeNullIsNotTakenForAnythingElse() throws IOException {
        isRefused("val privilege: Any? =", "val privilege: Any =", "expected 'Any', actual 'Any?'");
    }

    @Test
    void nullIsNotPassedWhereItMustNotBe() throws IOException {
        isRefused(
                "locker.lock(buffer).use",
                "locker.lock(locker.rangeOf(null)).use",
                "null cannot be a value of a non-null type");
    }

    /** In docs/adoption.md. */
    @Test
    void thePageShowsTheExampleAsItIs() throws IOException {
        String text = Files.readString(EXAMPLE);
        String part = text.substring(text.indexOf("// README\n") + "// README\n".length(), text.indexOf("// end\n"))
                        .stripTrailing()
                        .stripIndent()
                + "\n";
        assertTrue(part.lines().count() <= 10);
        assertTrue(Files.readString(Path.of("../docs/adoption.md")).contains("```kotlin\n" + part + "```\n"));
    }
}
