// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import static io.pagelock.foreign.MemorySegments.rangeOf;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.ProcWitness;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class MemorySegmentsTest {
    private static final long GIB = 1L << 30;
    private final PageLocker locker = PageLocker.system();
    private final long page = locker.pageSize();

    @TempDir
    Path directory;

    /** Maps a sparse file. */
    private MemorySegment map(long bytes, Arena arena) throws IOException {
        try (FileChannel file = FileChannel.open(
                directory.resolve("file" + bytes),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            return file.map(MapMode.READ_WRITE, 0, bytes, arena);
        }
    }

    private void assumeRoomFor(long bytes) {
        assumeTrue(
                locker.forecast(bytes).fits() != Tristate.NO,
                () -> "may not lock " + bytes + " bytes: " + locker.forecast(bytes));
    }

    @Test
    void nativeMemoryIsLockedThroughItsSegment() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(2 * page, page);
            try (PageLock lock = locker.lock(rangeOf(segment))) {
                assertTrue(Kernel.isLocked(segment));
                assertTrue(lock.isValid());
            }
            assertFalse(Kernel.isLocked(segment.address()));
        }
    }

    @Test
    void sliceAndReadOnlyViewLockTheirOwnPagesOnly() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment whole = map(4 * page, arena);
            MemorySegment slice = whole.asSlice(page + 100, page).asReadOnly();
            try (PageLock lock = locker.lock(rangeOf(slice))) {
                assertTrue(Kernel.isLocked(whole.address() + page));
                assertTrue(Kernel.isLocked(whole.address() + 2 * page));
                assertFalse(Kernel.isLocked(whole.address()));
                assertFalse(Kernel.isLocked(whole.address() + 3 * page));
                assertEquals(slice.byteSize(), lock.ranges().get(0).length());
            }
        }
    }

    @Test
    void segmentOverADirectBufferIsLocked() {
        MemorySegment segment = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(100));
        try (PageLock lock = locker.lock(rangeOf(segment))) {
            assertTrue(Kernel.isLocked(segment), lock::toString);
        }
    }

    @Test
    void segmentOverTwoGibibytesIsOneRange() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment segment = map(3 * GIB, arena);
            MemoryRange range = rangeOf(segment);
            assertEquals(segment.address(), range.address());
            assertEquals(3 * GIB, range.length());
            MemorySegment last = segment.asSlice(3 * GIB - page);
            try (PageLock lock = locker.lock(rangeOf(last))) {
                assertTrue(Kernel.isLocked(last), lock::toString);
                assertFalse(Kernel.isLocked(segment.address()));
            }
            assumeRoomFor(3 * GIB);
            try (PageLock lock = locker.lock(range, LockOption.ON_FAULT)) {
                assertTrue(Kernel.isLocked(segment), lock::toString);
            }
            assertFalse(Kernel.isLocked(segment.address()));
        }
    }

    /** As a program does with the weights of a model. */
    @Test
    void hundredMebibytesOfAMappedFileAreLocked() throws IOException {
        long bytes = 100L << 20;
        assumeRoomFor(bytes);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment weights = map(bytes, arena);
            try (PageLock lock = locker.lock(rangeOf(weights))) {
                assertTrue(Kernel.isLocked(weights), lock::toString);
                assertEquals(0, locker.pageStates(rangeOf(weights)).countResident(Tristate.NO));
            }
        }
    }

    @Test
    void heapSegmentIsRefusedWithTheReason() {
        String message = assertThrows(IllegalArgumentException.class, () -> rangeOf(MemorySegment.ofArray(new long[8])))
                .getMessage();
        assertTrue(message.contains("garbage collector moves it"), message);
        assertThrows(IllegalArgumentException.class, () -> rangeOf(MemorySegment.ofBuffer(ByteBuffer.allocate(8))));
    }

    @Test
    void emptySegmentAndAddressZeroAreRefused() {
        try (Arena arena = Arena.ofConfined()) {
            String message = assertThrows(IllegalArgumentException.class, () -> rangeOf(arena.allocate(0)))
                    .getMessage();
            assertTrue(message.contains("is empty"), message);
        }
        assertThrows(IllegalArgumentException.class, () -> rangeOf(MemorySegment.NULL));
        assertThrows(IllegalArgumentException.class, () -> rangeOf(atAddressZero()));
    }

    @SuppressWarnings("restricted")
    private static MemorySegment atAddressZero() {
        return MemorySegment.NULL.reinterpret(8);
    }

    @Test
    void closedArenaIsRefused() {
        Arena arena = Arena.ofShared();
        MemorySegment segment = arena.allocate(page);
        MemoryRange range = rangeOf(segment);
        arena.close();
        assertTrue(assertThrows(IllegalStateException.class, () -> rangeOf(segment))
                .getMessage()
                .contains("is closed"));
        assertTrue(assertThrows(
                        IllegalStateException.class, () -> locker.lock(range).close())
                .getMessage()
                .contains("is closed"));
    }

    @Test
    void arenaOfAnotherThreadIsRefused() throws InterruptedException {
        MemorySegment[] segment = new MemorySegment[1];
        Thread other = new Thread(() -> segment[0] = Arena.ofConfined().allocate(page));
        other.start();
        other.join();
        assertTrue(assertThrows(WrongThreadException.class, () -> rangeOf(segment[0]))
                .getMessage()
                .contains("confined to a thread other than"));
    }

    @Test
    void handleKeepsTheArenaReachable() throws Exception {
        // Mapped, since freed memory of the C library stays mapped.
        MemorySegment mapped = map(page, Arena.ofAuto());
        long address = mapped.address();
        PageLock lock = locker.lock(rangeOf(mapped));
        mapped = null;
        for (int i = 0; i < 3; i++) {
            collect();
            assertTrue(Kernel.isLocked(address));
        }
        lock.close();
    }

    private static void collect() throws InterruptedException {
        WeakReference<Object> dropped = new WeakReference<>(new Object());
        while (dropped.get() != null) {
            System.gc();
            Thread.sleep(10);
        }
    }

    @Test
    void closingTheArenaUnderAHandleIsAsUnmapping() throws IOException {
        Arena arena = Arena.ofShared();
        MemorySegment segment = map(2 * page, arena);
        PageLock lock = locker.lock(rangeOf(segment));
        arena.close();
        assertEquals(List.of(), ProcWitness.flags(segment.address()));
        assertTrue(lock.isValid());
        lock.close();
        assertFalse(lock.isValid());

        Arena heap = Arena.ofConfined();
        PageLock second = locker.lock(rangeOf(heap.allocate(4 * page, page)));
        heap.close();
        second.close();
        assertFalse(second.isValid());
    }
}
