// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
    void onlyUtf8IsExactText() {
        assertTrue(FileNames.isText("Größe".getBytes(StandardCharsets.UTF_8)));
        assertFalse(FileNames.isText(latin1("Gr\366\337e")));
    }
}
