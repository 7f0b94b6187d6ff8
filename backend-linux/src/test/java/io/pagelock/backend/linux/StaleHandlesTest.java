// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A client unmaps memory without closing its handle, as message stores do with their files, and maps other memory there. */
@EnabledOnOs(OS.LINUX)
class StaleHandlesTest {
    private static final long PAGE = Libc.getpagesize();
    private static final int PAGES = 32;

    private final PageLocker locker = PageLockers.over(new LinuxProvider().open(Host.current()));
    private final long at = map(0, PAGES, 0);
    private final List<PageLock> handles = new ArrayList<>();

    private static long map(long address, int pages, int flags) {
        return Libc.mmap(
                address,
                pages * PAGE,
                Libc.PROT_READ | Libc.PROT_WRITE,
                Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | flags,
                -1,
                0);
    }

    private MemoryRange pages(int from, int to) {
        return MemoryRange.of(at + from * PAGE, (to - from) * PAGE);
    }

    private void lock(int from, int to, LockOption... options) {
        handles.add(locker.lock(pages(from, to), options));
    }

    /** Takes the mapping away under its handles and maps anew, the last page without access. */
    private void replace(int from, int to) {
        map(at + from * PAGE, to - from, Libc.MAP_FIXED);
        Libc.mprotect(at + (PAGES - 1) * PAGE, PAGE, Libc.PROT_NONE);
    }

    private void assertLockedAre(int from, int to) {
        for (int page = 0; page < PAGES; page++) {
            assertEquals(page >= from && page < to, Witness.flagged(at + page * PAGE), "page " + page);
        }
    }

    @AfterEach
    void closeAndUnmap() {
        handles.forEach(PageLock::close);
        Libc.munmap(at, PAGES * PAGE);
        assertEquals(0, locker.statistics().leftoverBytes());
    }

    @Test
    void whatIsUnmappedIsFoundWhenAsked() {
        lock(0, 4);
        lock(8, 12);
        lock(10, 16);
        assertEquals(Optional.of(List.of()), locker.unmapped());
        Libc.munmap(at + 2 * PAGE, 12 * PAGE);
        assertEquals(Optional.of(List.of(pages(2, 4), pages(8, 14))), locker.unmapped());
        assertEquals(12 * PAGE, locker.statistics().lockedBytes());
        handles.remove(0).close();
        assertEquals(Optional.of(List.of(pages(8, 14))), locker.unmapped());
        map(at, PAGES, Libc.MAP_FIXED);
        assertEquals(Optional.of(List.of()), locker.unmapped());
    }

    @Test
    void aFailedLockOfNewMemoryThereIsUndone() {
        lock(4, 20);
        replace(0, PAGES);
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, PAGES)));
        assertLockedAre(0, 0);
        assertThrows(PageLockException.class, () -> locker.lock(pages(10, PAGES)));
        assertLockedAre(0, 0);
    }

    @Test
    void soIsOneThatBeginsWithTheStaleHandleAndOneOnFault() {
        lock(0, 8, LockOption.ON_FAULT);
        lock(8, 12);
        replace(0, PAGES);
        assertThrows(PageLockException.class, () -> locker.lock(List.of(pages(0, 2), pages(6, 10), pages(20, PAGES))));
        assertLockedAre(0, 0);
        Libc.munmap(at + 20 * PAGE, PAGE);
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, 24), LockOption.ON_FAULT));
        assertLockedAre(0, 0);
        map(at + 20 * PAGE, 1, Libc.MAP_FIXED);
    }

    /** The page need not be proved locked once more where it was found locked just before; what is mapped now, must. */
    @Test
    void memoryThatMayBeDroppedIsRefusedThereToo() {
        for (int i = 0; i < 5; i++) {
            lock(0, 1);
        }
        long mapped = Libc.mmap(
                at,
                PAGE,
                Libc.PROT_READ | Libc.PROT_WRITE,
                Libc.MAP_ANONYMOUS | Libc.MAP_DROPPABLE | Libc.MAP_FIXED,
                -1,
                0);
        assumeTrue(mapped == at, "MAP_DROPPABLE came with Linux 6.11");
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, 1)));
        map(at, 1, Libc.MAP_FIXED);
        lock(0, 1);
        assertLockedAre(0, 1);
    }

    /** That the pages before it were of no file says nothing about it. */
    @Test
    void aFileThatComesToLieThereIsBroughtInAgain(@TempDir Path directory) throws IOException {
        for (int i = 0; i < 5; i++) {
            lock(0, 1);
        }
        Path file = Files.write(directory.resolve("file"), new byte[(int) PAGE]);
        int fd = Libc.open(file, false);
        assertEquals(at, Libc.mmap(at, PAGE, Libc.PROT_READ, Libc.MAP_SHARED | Libc.MAP_FIXED, fd, 0));
        Libc.close(fd);
        lock(0, 1);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(0);
        }
        for (int i = 0; i < 5; i++) {
            assertThrows(PageLockException.class, () -> locker.lock(pages(0, 1)));
        }
        map(at, 1, Libc.MAP_FIXED);
    }

    @Test
    void handlesThatAreNotStaleKeepTheirPages() {
        lock(0, 8);
        replace(0, PAGES);
        lock(10, 14);
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, PAGES)));
        assertLockedAre(10, 14);
        assertTrue(handles.get(1).isValid());
    }

    @Test
    void aHandleIsNotStaleWhereAnotherOneHasLockedTheNewMemory() {
        lock(0, 8);
        replace(0, PAGES);
        lock(2, 8);
        assertThrows(PageLockException.class, () -> locker.lock(pages(4, PAGES)));
        assertLockedAre(2, 8);
        handles.remove(1).close();
        // The stale handle holds these pages now, as it says.
        assertLockedAre(2, 8);
        handles.remove(0).close();
        assertLockedAre(0, 0);
        assertFalse(locker.statistics().lockedBytes() > 0);
    }
}
