// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.pagelock.spi.Names;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileSelectionTest {
    @TempDir
    Path dir;

    private void files(String... names) throws IOException {
        for (String each : names) {
            Path path = dir.resolve(each);
            Files.createDirectories(path.getParent());
            Files.writeString(path, each);
        }
    }

    private static List<byte[]> patterns(String... patterns) {
        return Stream.of(patterns)
                .map(each -> each.getBytes(StandardCharsets.UTF_8))
                .collect(Collectors.toList());
    }

    private List<String> names(FileSelection selection) {
        return selection.list().files().stream()
                .map(each -> dir.relativize(each.path()).toString())
                .collect(Collectors.toList());
    }

    private static List<String> skipped(FileSelection selection) {
        return selection.list().skipped().stream()
                .map(FileLockException::reason)
                .collect(Collectors.toList());
    }

    @Test
    void patternsChooseAmongFilesInDirectories() throws IOException {
        files("a.bin", "b.txt", "d/c.bin", "e.bin/f.txt");
        FileSelection all = FileSelection.of(dir);
        assertEquals(List.of("a.bin", "d/c.bin"), names(all.include(patterns("*.bin"))));
        assertEquals(List.of("b.txt", "d/c.bin"), names(all.exclude(patterns("[ae].bin"))));
        assertEquals(List.of("d/c.bin"), names(all.include(patterns("**/d/*.bin"))));
        assertEquals(List.of("a.bin"), names(all.include(patterns("*.bin")).exclude(patterns("d"))));
        assertEquals(
                List.of("b.txt"), names(FileSelection.of(dir.resolve("b.txt")).include(patterns("*.bin"))));
    }

    @ParameterizedTest
    @CsvSource({
        "a*c, abc, true",
        "a?c, aäc, true",
        "a[ä-ö]c, aäc, true",
        "a[!b]c, abc, false",
        "a[]x]c, 'a]c', true",
        "a[b-]c, a-c, true",
        "a\\*c, abc, false",
        "a\\*c, a*c, true",
        "a.c, abc, false",
        "(a|b), a, false",
        "a$, a$, true",
        "*, .hidden, true",
        "a?c, a😀c, true",
        "[!a]*[0-9], b/7, false",
        "*ab*, xaab, true",
        "*ab, xabc, false",
    })
    void patternsAreThoseOfAShell(String pattern, String name, boolean matches) {
        // Not every locale has a text for each name.
        Path path = Names.path(("x/" + name).getBytes(StandardCharsets.UTF_8));
        assertEquals(matches, Glob.all(patterns(pattern)).get(0).matches(path));
    }

    /** A name that somebody else made must not keep a command busy. */
    @Test
    void noNameMakesAPatternSlow() {
        Glob glob = Glob.all(patterns("*a*a*a*a*a*a*a*a*a*a*b")).get(0);
        assertTimeoutPreemptively(
                Duration.ofSeconds(60), () -> assertFalse(glob.matches(Path.of("x", "a".repeat(255)))));
    }

    @Test
    void patternsAndNamesAreBytes() throws IOException {
        byte[] name = (dir + "/a\377\nb").getBytes(StandardCharsets.ISO_8859_1);
        Files.createFile(Names.path(name));
        FileSelection all = FileSelection.of(dir);
        assertEquals(
                1,
                all.include(List.of(new byte[] {'a', (byte) 0xff, '*'}))
                        .list()
                        .files()
                        .size());
        assertEquals(1, all.include(patterns("a??b")).list().files().size());
        assertEquals(
                0,
                all.include(List.of(new byte[] {'a', (byte) 0xfe, '*'}))
                        .list()
                        .files()
                        .size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a[", "a[b", "a\\", "[z-a]"})
    void patternsThatMeanNothingAreRefused(String pattern) {
        assertThrows(IllegalArgumentException.class, () -> FileSelection.of(dir).include(patterns(pattern)));
    }

    @Test
    void largerFilesAreSkipped() throws IOException {
        files("a", "long");
        FileSelection small = FileSelection.of(dir).largest(3);
        assertEquals(List.of("a"), names(small));
        assertEquals(List.of(FileLockException.TOO_LARGE), skipped(small));
    }

    @Test
    void linksAreFollowedIfAskedForAndLoopsEnd() throws IOException {
        files("d/a");
        Files.createSymbolicLink(dir.resolve("d/loop"), dir);
        Files.createSymbolicLink(dir.resolve("d/b"), dir.resolve("d/a"));
        Files.createSymbolicLink(dir.resolve("d/nothing"), dir.resolve("missing"));
        FileSelection followed = FileSelection.of(dir).followLinks();
        assertEquals(List.of("d/a"), names(followed));
        assertEquals(
                List.of(FileLockException.SAME_FILE, FileLockException.SAME_FILE, FileLockException.SYMBOLIC_LINK),
                skipped(followed));
    }

    @Test
    void otherFileSystemsAreLeftOut() {
        FileSelection selection = FileSelection.of(Path.of("/dev")).oneFileSystem();
        long inside = selection.list().files().stream()
                .filter(each -> each.path().startsWith("/dev/shm"))
                .count();
        assertEquals(0, inside);
    }

    @Test
    void rangesThatMeanNothingAreRefused() {
        FileSelection all = FileSelection.of(dir);
        assertThrows(IllegalArgumentException.class, () -> all.range(-1, 1));
        assertThrows(IllegalArgumentException.class, () -> all.range(0, 0));
        assertThrows(IllegalArgumentException.class, () -> all.largest(-1));
    }
}
