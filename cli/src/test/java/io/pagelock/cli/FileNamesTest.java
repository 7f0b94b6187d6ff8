// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.spi.Names;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileNamesTest {
    private static byte[] latin1(String bytes) {
        return bytes.getBytes(StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "/a",
                "a b/c",
                "/",
                ".",
                "..",
                "../x",
                "a/../b",
                "/x\377\376y",
                "\377",
                "%41",
                "a\\b",
                "a\nb",
                "~"
            })
    void pathKeepsEveryByte(String bytes) {
        assertArrayEquals(latin1(bytes), FileNames.bytes(FileNames.path(latin1(bytes))));
    }

    @Test
    void relativePathStaysRelative() {
        assertFalse(FileNames.path(latin1("a/b")).isAbsolute());
        assertEquals(Path.of("a/b"), FileNames.path(latin1("a/b")));
        assertEquals(Path.of("a/../b"), FileNames.path(latin1("a/../b")));
    }

    @Test
    void repeatedAndTrailingSlashesAreDropped() {
        assertEquals(Path.of("/a/b"), FileNames.path(latin1("//a///b//")));
        assertEquals(Path.of("/"), FileNames.path(latin1("//")));
    }

    @Test
    void emptyNameIsTheWorkingDirectory() {
        assertEquals(Path.of(""), FileNames.path(new byte[0]));
        assertEquals(".", FileNames.text(Path.of(""), StandardCharsets.UTF_8));
    }

    @Test
    void bytesOfDirectoryHaveNoSlashAtTheEnd() {
        assertArrayEquals(latin1("/tmp"), FileNames.bytes(Path.of("/tmp")));
    }

    @Test
    void textShowsWhatIsUtf8() {
        assertEquals(
                "Größe 漢字 😀", FileNames.text("Größe 漢字 😀".getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8));
    }

    @Test
    void textEscapesBytesOutsideUtf8AndKeepsTheRest() {
        assertEquals("a\\xffb\\xc3", FileNames.text(latin1("a\377b\303"), StandardCharsets.UTF_8));
        assertEquals("\\xe2\\x82a", FileNames.text(latin1("\342\202a"), StandardCharsets.UTF_8));
    }

    @Test
    void textEscapesControlCharacters() {
        assertEquals(
                "a\\x1b[31m\\x0ab\\xc2\\x9bc", FileNames.text(latin1("a\33[31m\nb\302\233c"), StandardCharsets.UTF_8));
    }

    @Test
    void textEscapesWhatTheCharacterSetLacks() {
        assertEquals("Gr\\xc3\\xb6", FileNames.text("Grö".getBytes(StandardCharsets.UTF_8), StandardCharsets.US_ASCII));
    }

    @Test
    void textIsThatOfOneNameOnly() {
        assertEquals("a\\\\x1b\\x1b", FileNames.text(latin1("a\\x1b\33"), StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                0, 9, 10, 13, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x61c, 0x200b, 0x200f, 0x2028, 0x2029, 0x202e, 0x2066,
                0xe000, 0xfeff, 0xfffe, 0xe0041, 0x10ffff
            })
    void whatChangesOrForgesALineIsEscaped(int code) {
        String raw = new String(Character.toChars(code));
        String text = FileNames.text(raw.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        assertTrue(text.matches("(\\\\x[0-9a-f]{2})+"), text);
        assertEquals("é" + text + "\\", Names.line("é" + raw + "\\", StandardCharsets.UTF_8));
    }

    @Test
    void halfACharacterIsEscaped() {
        assertEquals("a\\ud83d!", Names.line("a\ud83d!", StandardCharsets.UTF_8));
    }

    @Test
    void onlyUtf8IsExactText() {
        assertTrue(FileNames.isText("Größe".getBytes(StandardCharsets.UTF_8)));
        assertFalse(FileNames.isText(latin1("Gr\366\337e")));
    }
}
