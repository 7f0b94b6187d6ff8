// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.Host;
import io.pagelock.spi.Names;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mapped files with names that others chose, on the kernel of this machine. A character stands for a byte. */
@EnabledOnOs(OS.LINUX)
class HostileNamesTest {
    private static final int PAGE = Libc.getpagesize();
    private static final LinuxBackend BACKEND = (LinuxBackend) new LinuxProvider().open(Host.current());

    @TempDir
    Path dir;

    private MappedByteBuffer map(Path path, int pages) throws IOException {
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) pages * PAGE);
        }
    }

    private Path path(String name) {
        return Names.path((dir + "/" + name).getBytes(StandardCharsets.ISO_8859_1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a_b",
                "a\rb",
                "a\r00400000-00401000 r--p 00000000 00:00 0 ",
                "a\nb",
                "a\n00400000-00401000 r--p 00000000 00:00 0 ",
                "a\\012b",
                "\303\244",
                "\344\377",
                "a\33]0;title\7\33[31m",
                "a\302\233\342\200\256",
                "a\u0085b",
                "a  ",
                "a (deleted)",
                "[heap]"
            })
    void fileIsAsOneWithAPlainName(String name) throws IOException {
        MappedByteBuffer file = map(path(name), 3);
        long at = BACKEND.address(file);
        BACKEND.lock(at, PAGE, Collections.emptySet());
        try {
            MemoryRange range = MemoryRange.of(at, 3L * PAGE);
            PageStates states = BACKEND.pageStates(range);
            assertEquals(Tristate.YES, states.locked(0));
            assertEquals(Tristate.NO, states.locked(2));
            assertEquals(0, states.countResident(Tristate.UNKNOWN), "an own file");
            assertEquals(List.of(range), BACKEND.mapped(range).orElseThrow());
            BACKEND.unlockAll(List.of(MemoryRange.of(at, PAGE)));
            assertTrue(Witness.flagged(at), "was unlocked though it was to be kept");
            try (FileChannel channel = FileChannel.open(path(name), StandardOpenOption.WRITE)) {
                channel.truncate(PAGE);
            }
            PageLockException thrown =
                    assertThrows(PageLockException.class, () -> BACKEND.lock(at, 3L * PAGE, Collections.emptySet()));
            assertEquals(Reason.CANNOT_BE_PAGED_IN, thrown.reason(), thrown.getMessage());
            assertTrue(
                    thrown.getMessage().contains("maps it up to byte"),
                    "its size was not found: " + thrown.getMessage());
            assertTrue(thrown.getMessage().codePoints().allMatch(Names::isPlain), thrown.getMessage());
        } finally {
            BACKEND.unlock(at, 3L * PAGE);
            file.force();
        }
    }

    @Test
    void holeIsFoundAboveSuchAFile() throws IOException {
        MappedByteBuffer file = map(path("a\rb"), 1);
        long all =
                Libc.mmap(0, 3L * PAGE, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        Libc.munmap(all + PAGE, PAGE);
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> BACKEND.lock(all, 3L * PAGE, Collections.emptySet()));
        BACKEND.unlock(all, PAGE);
        Libc.munmap(all, PAGE);
        Libc.munmap(all + 2L * PAGE, PAGE);
        assertEquals(Reason.NOT_MAPPED, thrown.reason(), thrown.getMessage());
        assertTrue(file.capacity() > 0);
    }

    /** In a locale that has no character outside of ASCII. */
    @Test
    void localeDoesNotMatter() {
        Life.ROOT
                .jvm()
                .through("env", "LC_ALL=C")
                .run(TestMain.class, HostileNamesTest.Ascii.class.getName())
                .succeeded();
    }

    @EnabledOnOs(OS.LINUX)
    static class Ascii {
        @TempDir
        Path dir;

        @Test
        void bytesOutsideAsciiAreOpened() throws IOException {
            assertFalse(System.getProperty("sun.jnu.encoding").startsWith("UTF"), "the locale is in force");
            HostileNamesTest test = new HostileNamesTest();
            test.dir = dir;
            test.fileIsAsOneWithAPlainName("\303\244");
            test.fileIsAsOneWithAPlainName("\377");
        }
    }
}
