// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileArgumentsTest extends CommandTest {
    private List<String> held(Object... arguments) {
        console = new TestConsole();
        List<Object> all = new ArrayList<>(List.of("hold", "--json", "--for", "1ms"));
        all.addAll(List.of(arguments));
        assertEquals(0, run(all.toArray()), console::err);
        List<String> paths = new ArrayList<>();
        for (JsonElement each : console.json().getAsJsonArray("files")) {
            paths.add(each.getAsJsonObject().get("path").getAsString());
        }
        return paths;
    }

    private Path list(String text) throws IOException {
        return Files.write(dir.resolve("list"), text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private Path named(String name) throws IOException {
        return Files.write(FileNames.path((dir + "/" + name).getBytes(StandardCharsets.ISO_8859_1)), new byte[1]);
    }

    @Test
    void namesInAListAreBytes() throws IOException {
        named("a b\377");
        named("c\r");
        file("d", 1);
        assertEquals(
                List.of(dir + "/d", dir + "/a b\\xff", dir + "/c\r"),
                held("--files-from", list(dir + "/a b\377\n\n" + dir + "/c\r\n" + dir + "/d"), dir.resolve("d")));
    }

    @Test
    void zeroBytesEndNamesThatHoldLineFeeds() throws IOException {
        named("a\nb");
        assertEquals(List.of(dir + "/a\nb"), held("-0", "--files-from", list(dir + "/a\nb\0")));
        assertEquals(1, run("hold", "--files-from", list(dir + "/a\nb\0")));
        assertTrue(console.err().contains("if zero bytes end the names, add -0"), console.err());
    }

    @Test
    void dashIsStandardInput() throws IOException {
        Path a = file("a", 1);
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream((a + "\n").getBytes(StandardCharsets.UTF_8)));
        try {
            assertEquals(List.of(a.toString()), held("--files-from", "-"));
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void missingListFails() {
        assertEquals(1, run("hold", "--files-from", dir.resolve("missing")));
        assertTrue(console.err().contains("missing: no such file"), console.err());
        assertEquals(1, run("status", "--files-from", dir));
    }

    @Test
    void emptyListHoldsNothing() throws IOException {
        assertEquals(List.of(), held("--files-from", list("")));
    }

    @Test
    void filesAreChosenByPatternSizeAndPart() throws IOException {
        Path a = file("a.bin", 3 * FakeLocker.PAGE);
        Path b = file("b.txt", 10);
        assertEquals(List.of(a.toString()), held("--include", "*.bin", dir));
        assertEquals(List.of(b.toString()), held("--exclude", "a*", dir));
        assertEquals(List.of(b.toString()), held("--max-size", "4k", dir));
        held("--range", "4k-8k", a);
        assertEquals(FakeLocker.PAGE, console.json().get("lockedBytes").getAsLong());
        held("--range", "5000-", a);
        assertEquals(2 * FakeLocker.PAGE, console.json().get("lockedBytes").getAsLong());
    }

    @Test
    void budgetIsNoFailure() throws IOException {
        held("--budget", "4k", file("a", 2 * FakeLocker.PAGE));
        assertEquals(FakeLocker.PAGE, console.json().get("lockedBytes").getAsLong());
        assertEquals("partial", console.json().get("result").getAsString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "1", "2k-1k", "1-1", "-9x"})
    void rangesThatMeanNothingAreBadUsage(String range) throws IOException {
        assertEquals(2, run("hold", "--range", range, file("a", 1)));
    }

    @Test
    void patternsAndSizesThatMeanNothingAreBadUsage() throws IOException {
        assertEquals(2, run("hold", "--include", "[", file("a", 1)));
        assertEquals(2, run("hold", "--max-size", "many", dir));
        assertEquals(2, run("hold", "--on-change", "ignore", dir));
    }

    @Test
    void documentsDescribeEveryCommand() {
        assertEquals(0, run("man"));
        assertTrue(console.out().startsWith(".TH PAGELOCK 1"), console.out());
        assertTrue(console.out().contains("\\fB\\-\\-files\\-from\\fR=\\fIFILE\\fR"), console.out());
        for (String each : List.of("hold", "status", "touch", "evict", "attach", "doctor")) {
            assertTrue(console.out().contains("\n.SS " + each + "\n"), console.out());
        }
        console = new TestConsole();
        assertEquals(0, run("completion"));
        assertTrue(console.out().contains("--on-change"), console.out());
    }
}
