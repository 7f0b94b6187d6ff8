// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.LockPolicy;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.ProcWitness;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class LockedArenaTest {
    private final WatchedLocker watched = new WatchedLocker();
    private final PageLocker locker = watched.locker;
    private final long page = locker.pageSize();
    private final long before = ProcWitness.lockedBytes();

    private static final List<Function<PageLocker, LockedArena>> CLOSABLE =
            List.of(LockedArena::ofConfined, LockedArena::ofShared);

    @AfterEach
    void everySlabWasWiped() {
        assertEquals(List.of(), watched.faults);
    }

    private void assertNothingIsLeft() {
        assertEquals(before, ProcWitness.lockedBytes());
        assertEquals(watched.locks.get(), watched.closes.get());
    }

    private static void write(MemorySegment segment) {
        segment.fill((byte) 0x5a);
    }

    @Test
    void anArenaSaysWhetherItsMemoryIsLocked() {
        for (var kind : CLOSABLE) {
            try (LockedArena arena = kind.apply(locker)) {
                assertTrue(arena.isLocked());
                arena.allocate(32);
                assertTrue(arena.isLocked());
            }
            LockedArena off = kind.apply(PageLocker.system(LockPolicy.OFF));
            write(off.allocate(32));
            assertFalse(off.isLocked());
            off.close();
            assertFalse(off.isLocked());
        }
        assertEquals(List.of(), PageLocker.system(LockPolicy.OFF).report().notLocked());
        assertNothingIsLeft();
    }

    @Test
    void memoryIsLockedWhenHandedOutAndWipedThenUnlockedAtTheClose() {
        for (var kind : CLOSABLE) {
            long address;
            try (LockedArena arena = kind.apply(locker)) {
                MemorySegment key = arena.allocate(32);
                address = key.address();
                assertTrue(Kernel.isLocked(key));
                assertEquals(0, key.get(ValueLayout.JAVA_LONG, 0));
                assertEquals(arena.scope(), key.scope());
                write(key);
            }
            assertFalse(Kernel.isLocked(address));
            assertNothingIsLeft();
        }
    }

    @Test
    void smallOnesShareAPage() {
        try (LockedArena arena = LockedArena.ofConfined(locker)) {
            for (long i = 0; i < page / 32; i++) {
                write(arena.allocate(32));
            }
            assertEquals(before + page, ProcWitness.lockedBytes());
            write(arena.allocate(32));
            assertEquals(before + 2 * page, ProcWitness.lockedBytes());
        }
        assertNothingIsLeft();
    }

    @Test
    void largeOneTakesWholePagesAndItsRestIsUsed() {
        try (LockedArena arena = LockedArena.ofShared(locker)) {
            MemorySegment large = arena.allocate(3 * page + 1);
            assertTrue(Kernel.isLocked(large));
            MemorySegment small = arena.allocate(page - 1);
            assertEquals(large.address() + large.byteSize(), small.address());
            assertEquals(before + 4 * page, ProcWitness.lockedBytes());
            // The new page has more room than the full one, so later ones come from there.
            arena.allocate(page + 8, 8);
            arena.allocate(8, 8);
            assertEquals(before + 6 * page, ProcWitness.lockedBytes());
        }
        assertNothingIsLeft();
    }

    @Test
    void everyAlignmentIsKept() {
        try (LockedArena arena = LockedArena.ofConfined(locker)) {
            for (long alignment = 1; alignment <= 64 * page; alignment *= 2) {
                MemorySegment segment = arena.allocate(3, alignment);
                assertEquals(0, segment.address() % alignment);
                assertEquals(3, segment.byteSize());
                assertTrue(Kernel.isLocked(segment));
            }
            // Memory that only serves the alignment is not locked.
            assertTrue(ProcWitness.lockedBytes() <= before + 9 * page);
        }
        assertNothingIsLeft();
    }

    @Test
    void zeroSizesHaveAddressesOfTheirOwn() {
        try (LockedArena arena = LockedArena.ofConfined(locker)) {
            MemorySegment one = arena.allocate(0, 1);
            MemorySegment other = arena.allocate(0, 64);
            assertEquals(0, one.byteSize());
            assertEquals(0, other.byteSize());
            assertNotEquals(one.address(), other.address());
            assertEquals(0, other.address() % 64);
        }
    }

    @Test
    void sizesAndAlignmentsThatCannotBeAreRefused() {
        try (LockedArena arena = LockedArena.ofShared(locker)) {
            assertThrows(IllegalArgumentException.class, () -> arena.allocate(-1));
            assertThrows(IllegalArgumentException.class, () -> arena.allocate(8, 0));
            assertThrows(IllegalArgumentException.class, () -> arena.allocate(8, -8));
            assertThrows(IllegalArgumentException.class, () -> arena.allocate(8, 24));
            assertThrows(IllegalArgumentException.class, () -> arena.allocate(8, Long.MIN_VALUE));
            assertThrows(OutOfMemoryError.class, () -> arena.allocate(Long.MAX_VALUE));
            assertThrows(OutOfMemoryError.class, () -> arena.allocate(Long.MAX_VALUE - page, 1L << 62));
            assertThrows(OutOfMemoryError.class, () -> arena.allocate(8, 1L << 62));
            assertThrows(OutOfMemoryError.class, () -> arena.allocate(1L << 61));
            assertEquals(0, watched.locks.get());
            arena.allocate(8);
        }
        assertNothingIsLeft();
    }

    @Test
    void refusedLockLeavesNothingAndTheArenaUsable() {
        for (var kind : CLOSABLE) {
            try (LockedArena arena = kind.apply(locker)) {
                for (long bytes : new long[] {32, 3 * page}) {
                    watched.locksToRefuse.set(1);
                    assertThrows(PageLockException.class, () -> arena.allocate(bytes));
                    assertEquals(before, ProcWitness.lockedBytes());
                }
                write(arena.allocate(32));
            }
            assertNothingIsLeft();
        }
    }

    @Test
    void closedArenaRefusesEveryUse() {
        for (var kind : CLOSABLE) {
            LockedArena arena = kind.apply(locker);
            MemorySegment key = arena.allocate(32);
            arena.close();
            assertThrows(IllegalStateException.class, arena::close);
            assertThrows(IllegalStateException.class, () -> arena.allocate(32));
            assertThrows(IllegalStateException.class, () -> key.get(ValueLayout.JAVA_BYTE, 0));
            assertFalse(arena.scope().isAlive());
            LockedArena unused = kind.apply(locker);
            unused.close();
            assertThrows(IllegalStateException.class, unused::close);
        }
        assertNothingIsLeft();
    }

    @Test
    void refusedUnlockIsThrownWipedAndTriedAgain() {
        for (var kind : CLOSABLE) {
            LockedArena arena = kind.apply(locker);
            write(arena.allocate(32));
            write(arena.allocate(page));
            // Of the close itself, and of its second try.
            watched.closesToRefuse.set(4);
            assertThrows(PageLockException.class, arena::close);
            assertFalse(arena.scope().isAlive());
            assertTrue(ProcWitness.lockedBytes() > before);
            watched.closesToRefuse.set(0);
            arena.close();
            assertThrows(IllegalStateException.class, arena::close);
            assertNothingIsLeft();
        }
    }

    @Test
    void confinedArenaServesItsOwnThreadOnly() throws Exception {
        try (LockedArena arena = LockedArena.ofConfined(locker);
                ExecutorService other = Executors.newSingleThreadExecutor()) {
            arena.allocate(32);
            other.submit(() -> {
                        assertThrows(WrongThreadException.class, () -> arena.allocate(32));
                        assertThrows(WrongThreadException.class, () -> arena.allocate(3 * page));
                        assertThrows(WrongThreadException.class, arena::close);
                    })
                    .get();
            assertEquals(1, watched.locks.get());
        }
        assertNothingIsLeft();
    }

    @Test
    void manyThreadsShareASharedArena() throws Exception {
        int threads = 8;
        int each = 200;
        try (LockedArena arena = LockedArena.ofShared(locker);
                ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            CountDownLatch start = new CountDownLatch(1);
            List<Future<List<MemorySegment>>> futures = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                futures.add(pool.submit(() -> {
                    start.await();
                    List<MemorySegment> mine = new ArrayList<>();
                    for (int i = 0; i < each; i++) {
                        mine.add(arena.allocate(i % 50 == 49 ? page + 1 : 32, 8));
                        write(mine.get(i));
                    }
                    return mine;
                }));
            }
            start.countDown();
            List<MemorySegment> all = new ArrayList<>();
            for (var future : futures) {
                all.addAll(future.get());
            }
            all.sort(Comparator.comparingLong(MemorySegment::address));
            for (int i = 1; i < all.size(); i++) {
                assertTrue(all.get(i - 1).address() + all.get(i - 1).byteSize()
                        <= all.get(i).address());
            }
            // Two pages for each large one, and what the small ones fill.
            long most = threads * each / 50 * 2 + threads * each * 32 / page + 1;
            assertTrue(ProcWitness.lockedBytes() <= before + most * page);
        }
        assertNothingIsLeft();
    }

    @Test
    void closeWhileOthersAllocateLeavesNothing() throws Exception {
        for (int round = 0; round < 10; round++) {
            LockedArena arena = LockedArena.ofShared(locker);
            try (ExecutorService pool = Executors.newFixedThreadPool(3)) {
                CountDownLatch begun = new CountDownLatch(3);
                List<Future<?>> futures = new ArrayList<>();
                for (int t = 0; t < 3; t++) {
                    long bytes = t == 0 ? 2 * page : 1000;
                    futures.add(pool.submit(() -> {
                        begun.countDown();
                        for (int i = 0; i < 300; i++) {
                            try {
                                arena.allocate(bytes);
                            } catch (IllegalStateException closed) {
                                return;
                            }
                        }
                    }));
                }
                begun.await();
                arena.close();
                for (Future<?> future : futures) {
                    future.get();
                }
            }
            assertNothingIsLeft();
        }
    }

    @Test
    void automaticArenaEndsWithItsLastSegment() throws Exception {
        LockedArena arena = LockedArena.ofAuto(locker);
        assertThrows(UnsupportedOperationException.class, arena::close);
        MemorySegment key = arena.allocate(32);
        write(key);
        arena = null;
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(20);
            assertTrue(Kernel.isLocked(key));
            assertEquals(0x5a, key.get(ValueLayout.JAVA_BYTE, 0));
        }
        key = null;
        awaitCollected(() -> ProcWitness.lockedBytes() == before);
        awaitCollected(() -> watched.closes.get() == 1);
    }

    @Test
    void lostArenaIsWipedAndFreed() throws Exception {
        for (var kind : CLOSABLE) {
            int closes = watched.closes.get();
            MemorySegment key = kind.apply(locker).allocate(32);
            write(key);
            for (int i = 0; i < 3; i++) {
                System.gc();
                Thread.sleep(20);
                assertTrue(Kernel.isLocked(key));
                assertEquals(0x5a, key.get(ValueLayout.JAVA_BYTE, 0));
            }
            key = null;
            awaitCollected(() -> ProcWitness.lockedBytes() == before && watched.closes.get() == closes + 1);
        }
    }

    private static void awaitCollected(BooleanSupplier done) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (!done.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "not collected");
            System.gc();
            Thread.sleep(10);
        }
    }

    @Test
    void allocatorsOfTheJdkWorkOnIt() {
        try (LockedArena arena = LockedArena.ofConfined(locker)) {
            MemorySegment text = arena.allocateFrom("secret");
            assertEquals("secret", text.getString(0));
            assertTrue(Kernel.isLocked(text));
            assertInstanceOf(MemorySegment.class, arena.allocate(ValueLayout.JAVA_INT, 10));
        }
        assertNothingIsLeft();
    }
}
