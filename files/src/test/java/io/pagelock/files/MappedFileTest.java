// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Function;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.ChildJvm;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class MappedFileTest {
    private static final long GIB = 1L << 30;
    private static final PageLocker LOCKER = PageLocker.system();

    private static Optional<String> what(MappedFile mapped) {
        return mapped.change().map(change -> change.what);
    }

    @TempDir
    Path dir;

    private FileEntry entry(Path path) {
        return FileSelection.of(path).list().files().get(0);
    }

    private Path file(long bytes) throws IOException {
        Path path = dir.resolve("file");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(bytes);
        }
        return path;
    }

    @Test
    void fileAboveTwoGibibytesIsMappedInSegments() throws IOException {
        MappedFile mapped = MappedFile.map(entry(file(2 * GIB + 5000)), LOCKER);
        assertEquals(2 * GIB + 5000, mapped.bytes());
        assertEquals(
                List.of(GIB, GIB, 5000L),
                mapped.segments().stream().map(MemoryRange::length).collect(Collectors.toList()));
        assertEquals(3, MappedFile.segmentsFor(mapped.bytes()));
    }

    @Test
    void emptyFileHasNoSegments() throws IOException {
        MappedFile mapped = MappedFile.map(entry(file(0)), LOCKER);
        assertEquals(0, mapped.bytes());
        assertEquals(List.of(), mapped.segments());
        assertEquals(0, MappedFile.segmentsFor(0));
    }

    @Test
    void fileThatShrankSinceListingIsMappedAsItIs() throws IOException {
        FileEntry entry = entry(file(100_000));
        file(4096);
        assertEquals(4096, MappedFile.map(entry, LOCKER).bytes());
    }

    @Test
    void fileThatVanishedSinceListingIsReportedAsMissing() throws IOException {
        FileEntry entry = entry(file(100_000));
        Files.delete(entry.path());
        assertThrows(NoSuchFileException.class, () -> MappedFile.map(entry, LOCKER));
    }

    @Test
    void fifoThatTookTheNameIsNotOpened() throws Exception {
        FileEntry entry = entry(file(100_000));
        Files.delete(entry.path());
        assertEquals(
                0, new ProcessBuilder("mkfifo", entry.path().toString()).start().waitFor());
        assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> assertThrows(NoSuchFileException.class, () -> MappedFile.map(entry, LOCKER)));
    }

    @Test
    void changesSinceMappingAreTold() throws IOException {
        Path path = file(100_000);
        MappedFile mapped = MappedFile.map(entry(path), LOCKER);
        assertEquals(Optional.empty(), what(mapped));
        assertTrue(mapped.isTouched());
        assertFalse(mapped.isTouched());
        file(200_000);
        assertEquals(Optional.of("grew from 100000 to 200000 bytes"), what(mapped));
        assertTrue(mapped.isTouched());
        file(100_000);
        assertEquals(Optional.of("was written to"), what(mapped));
        file(10);
        assertEquals(Optional.of("shrank from 100000 to 10 bytes"), what(mapped));
        // Kept under another name, so that its number is not given to the new file.
        Files.move(path, dir.resolve("old"));
        assertEquals(Optional.of("vanished"), what(mapped));
        file(100_000);
        assertEquals(Optional.of("was replaced by another file"), what(mapped));
    }

    /** A process whose mapping is gone, which the kernel refuses to look at, as a filter would. */
    static final class Unmapped {
        public static void main(String[] arguments) throws IOException {
            FileSelection files = FileSelection.of(Paths.get(arguments[0]));
            MappedFile mapped = MappedFile.map(files.list().files().get(0), LOCKER);
            MemoryRange range = mapped.segments().get(0);
            NativeLong length = new NativeLong(range.length());
            int result =
                    Function.getFunction("c", "munmap").invokeInt(new Object[] {new Pointer(range.address()), length});
            System.out.println(result + " " + mapped.isMissing());
            System.out.flush();
            // Before Java unmaps it, too.
            Runtime.getRuntime().halt(0);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void whatTheKernelRefusesToLookAtIsNotMissing() throws IOException {
        String output =
                new ChildJvm().run(Unmapped.class, file(100_000).toString()).succeeded();
        assertEquals("0 false\n", output);
    }
}
