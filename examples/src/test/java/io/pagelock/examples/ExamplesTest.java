// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Each example runs, and README.md shows it as it is. */
@EnabledOnOs(OS.LINUX)
class ExamplesTest {
    private static final Path README = Path.of("../README.md");

    @TempDir
    Path directory;

    private static String run(String name, String... args) {
        return new ChildJvm().run("io.pagelock.examples." + name, args).succeeded();
    }

    @Test
    void buffer() {
        assertEquals("65536 bytes locked: true\n", run("Buffer"));
    }

    @Test
    void server() {
        assertEquals("the JVM is locked: true\n", run("Server"));
    }

    @Test
    void secrets() {
        assertEquals("the key is locked: YES\n", run("Secrets"));
    }

    @Test
    void hotFiles() throws IOException {
        Files.write(directory.resolve("a"), new byte[100_000]);
        Files.write(directory.resolve("b"), new byte[1]);
        assertTrue(run("HotFiles", directory.toString()).matches("2 files, \\d+ bytes locked\n"));
    }

    @Test
    void health() {
        assertEquals("up: true, valid: true\n", run("Health", "4096"));
        String refused = new ChildJvm()
                .through("prlimit", "--memlock=65536", "setpriv", "--inh-caps=-all", "--bounding-set=-ipc_lock")
                .run("io.pagelock.examples.Health", "1000000")
                .succeeded();
        assertTrue(refused.contains("over the limit"), refused);
        assertTrue(refused.endsWith("up: false, valid: false\n"), refused);
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_22, disabledReason = "needs java.lang.foreign")
    void weights() throws IOException {
        Path file = Files.write(directory.resolve("weights"), new byte[1 << 20]);
        assertEquals("1048576 bytes locked: true\n", run("Weights", file.toString()));
    }

    /** Every Java block of README.md is the marked part of an example, of at most ten lines, and every example is there. */
    @Test
    void readmeShowsTheExamplesAsTheyAre() throws IOException {
        Set<String> examples = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of("src/main"))) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".java")).toList()) {
                String text = Files.readString(file);
                int begin = text.indexOf("// README\n");
                int end = text.indexOf("// end\n");
                assertTrue(begin > 0 && begin < end, file + " lacks the marks");
                String part = text.substring(begin + "// README\n".length(), text.lastIndexOf('\n', end) + 1);
                examples.add(part.stripTrailing().stripIndent() + "\n");
            }
        }
        Set<String> shown = new TreeSet<>();
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(README));
        while (block.find()) {
            shown.add(block.group(1));
            assertTrue(block.group(1).lines().count() <= 10, block.group(1));
        }
        assertEquals(6, examples.size());
        assertEquals(joined(examples), joined(shown));
    }

    private static String joined(Set<String> parts) {
        List<String> list = List.copyOf(parts);
        return list.stream().sorted().collect(Collectors.joining("--\n"));
    }
}
