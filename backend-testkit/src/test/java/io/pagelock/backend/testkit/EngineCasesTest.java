// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.Forecast;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.FakeKernel.Call;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import io.pagelock.engine.PageLockers;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The engine in the cases that matter one by one, on the rules of the system where they are hardest. */
class EngineCasesTest {
    private static final long PAGE = 4096;

    private FakeKernel kernel;
    private FakeBackend backend;
    private PageLocker locker;
    private long memory;

    private void start(KernelRules rules) {
        kernel = new FakeKernel(rules);
        kernel.setPrivileged(rules.has(KernelRules.Trait.PRIVILEGE_IS_NEEDED));
        backend = new FakeBackend(kernel);
        locker = PageLockers.over(backend);
        memory = kernel.map(8, Kind.ANONYMOUS);
    }

    private MemoryRange pages(int first, int count) {
        return MemoryRange.of(memory + first * PAGE, count * PAGE);
    }

    private String locked() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            text.append(kernel.isLocked(memory + i * PAGE) ? '1' : '0');
        }
        return text.toString();
    }

    /** All that can lock the address space. */
    static List<KernelRules> everySystem() {
        return List.of(
                Systems.of("linux"),
                Systems.of("freebsd"),
                Systems.of("solaris").withPageSize(PAGE),
                Systems.of("hpux"),
                Systems.of("irix"));
    }

    @ParameterizedTest
    @MethodSource("everySystem")
    void L4_aHundredHandlesOnAPage(KernelRules rules) {
        start(rules);
        List<PageLock> handles = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            handles.add(locker.lock(MemoryRange.of(memory + i, 1)));
        }
        assertEquals(PAGE, locker.statistics().lockedBytes());
        for (int i = 0; i < 100; i++) {
            assertTrue(kernel.isLocked(memory), "before close number " + i);
            handles.get(i).close();
        }
        assertFalse(kernel.isLocked(memory));
        assertEquals(1, kernel.count(Call.MUNLOCK));
        assertEquals(0, locker.statistics().openHandles());
    }

    @Test
    void L4_twoBuffersInOnePage() {
        start(Systems.of("linux"));
        ByteBuffer first = ByteBuffer.allocateDirect(100);
        ByteBuffer second = ByteBuffer.allocateDirect(100);
        backend.place(first, memory + 10);
        backend.place(second, memory + 200);
        PageLock one = locker.lock(first);
        PageLock two = locker.lock(second);
        one.close();
        assertEquals("10000000", locked());
        two.close();
        assertEquals("00000000", locked());
    }

    @Test
    void L5_aTerabyteIsOneInterval() {
        start(Systems.of("freebsd"));
        long large = kernel.map((1L << 40) / PAGE, Kind.ANONYMOUS);
        try (PageLock lock = locker.lock(MemoryRange.of(large, 1L << 40));
                PageLock part = locker.lock(MemoryRange.of(large + (1L << 39), 1L << 38))) {
            assertEquals(1L << 40, locker.statistics().lockedBytes());
            assertTrue(part.isValid() && lock.isValid());
        }
        assertEquals(0, kernel.lockedBytes());
        // Not 262,144 of the first size: nothing is in memory, so steps grow, but a pause of this thread makes one
        // smaller.
        assertTrue(kernel.count(Call.MUNLOCK) <= 2000, kernel.count(Call.MUNLOCK) + " steps to unlock");
    }

    @Test
    void L7_aSecondHandleWhenTheLimitIsExhausted() {
        start(Systems.of("freebsd"));
        kernel.setLimit(4 * PAGE);
        try (PageLock first = locker.lock(pages(0, 4));
                PageLock second = locker.lock(pages(0, 4));
                PageLock third = locker.lock(pages(1, 2))) {
            assertEquals("11110000", locked());
            PageLockException refused = assertThrows(PageLockException.class, () -> locker.lock(pages(3, 2)));
            assertEquals(Reason.OVER_LIMIT, refused.reason());
            assertEquals("11110000", locked());
        }
        assertEquals("00000000", locked());
    }

    @Test
    void L7_withoutSeeingPagesTheRefusalStands() {
        start(Systems.of("freebsd"));
        locker = PageLockers.over(new FakeBackend(kernel, Set.of(Capability.LOCKED_BYTES), true));
        kernel.setLimit(4 * PAGE);
        try (PageLock first = locker.lock(pages(0, 4))) {
            assertThrows(PageLockException.class, () -> locker.lock(pages(0, 4)));
            assertEquals("11110000", locked());
        }
    }

    @Test
    void L7_aLimitLoweredToZeroOnLinux() {
        start(Systems.of("linux"));
        try (PageLock first = locker.lock(pages(0, 4))) {
            kernel.setLimit(0);
            try (PageLock second = locker.lock(pages(1, 2))) {
                assertEquals("11110000", locked());
            }
            assertThrows(PageLockException.class, () -> locker.lock(pages(3, 2)));
            assertEquals("11110000", locked());
        }
    }

    @Test
    void L2_anythingThrownByTheBackendIsUndone() {
        start(Systems.of("linux"));
        for (Throwable thrown : List.of(new OutOfMemoryError("ordered"), new IllegalStateException("ordered"))) {
            kernel.throwAt(Call.MLOCK, 1, thrown, true);
            Throwable seen = assertThrows(Throwable.class, () -> locker.lock(pages(0, 3)));
            assertTrue(seen == thrown || seen.getCause() == thrown, seen.toString());
            assertEquals("00000000", locked());
            assertEquals(0, locker.statistics().lockedBytes());
            assertEquals(0, locker.statistics().openHandles());
        }
    }

    @Test
    void L9_aCloseThatRunsOutOfMemoryIsRepeated() {
        start(Systems.of("linux"));
        PageLock lock = locker.lock(pages(0, 3));
        kernel.throwAt(Call.MUNLOCK, 1, new OutOfMemoryError("ordered"), false);
        assertThrows(OutOfMemoryError.class, lock::close);
        assertTrue(lock.isValid());
        assertEquals("11100000", locked());
        lock.close();
        assertEquals("00000000", locked());
    }

    @Test
    void L9_oneOfManyRangesIsRefused() {
        start(Systems.of("linux"));
        PageLock lock = locker.lock(List.of(pages(0, 1), pages(2, 1), pages(4, 1)));
        kernel.failAt(Call.MUNLOCK, 2, Errno.EINTR);
        PageLockException refused = assertThrows(PageLockException.class, lock::close);
        assertEquals(pages(2, 1), refused.range().orElseThrow());
        assertEquals("00100000", locked());
        assertEquals(PAGE, locker.statistics().lockedBytes());
        lock.close();
        assertEquals("00000000", locked());
        assertEquals(0, locker.statistics().lockedBytes());
    }

    @Test
    void L9_tooManyMappingsToUnlock() {
        start(Systems.of("linux"));
        PageLock lock = locker.lock(pages(0, 8));
        PageLock middle = locker.lock(pages(3, 1));
        kernel.setMapCountLimit(kernel.mapCount());
        PageLockException refused = assertThrows(PageLockException.class, lock::close);
        assertEquals(Reason.TOO_MANY_MAPPINGS, refused.reason());
        kernel.setMapCountLimit(Long.MAX_VALUE);
        lock.close();
        assertEquals("00010000", locked());
        middle.close();
    }

    @Test
    void L10_withoutAListOfMappingsHolesAreFoundByHalving() {
        List<KernelRules> systems = new ArrayList<>(everySystem());
        systems.add(Systems.of("macos"));
        for (KernelRules rules : systems) {
            start(rules);
            locker = PageLockers.over(new FakeBackend(kernel, FakeBackend.allOf(rules), false));
            PageLock lock = locker.lock(pages(0, 8));
            kernel.unmap(memory + PAGE, 1);
            kernel.unmap(memory + 5 * PAGE, 2);
            lock.close();
            assertEquals("00000000", locked(), rules.system());
            assertEquals(0, locker.statistics().lockedBytes());
        }
    }

    @Test
    void L11_aDroppedHandleBesideAnOpenOne() throws InterruptedException {
        start(Systems.of("linux"));
        locker.lock(pages(0, 4));
        PageLock open = locker.lock(pages(2, 4));
        long end = System.nanoTime() + 60_000_000_000L;
        while (locker.statistics().leakedHandles() == 0 || !locked().equals("00111100")) {
            assertTrue(System.nanoTime() < end, "the dropped handle was not noticed: " + locked());
            System.gc();
            Thread.sleep(10);
        }
        open.close();
        assertEquals("00000000", locked());
        assertEquals(1, locker.statistics().leakedHandles());
    }

    @Test
    void L13_fullOverOnFaultAndBack() {
        start(Systems.of("linux"));
        PageLock onFault = locker.lock(pages(0, 6), LockOption.ON_FAULT);
        PageLock full = locker.lock(pages(2, 2));
        assertEquals("00110000", locked());
        PageLock again = locker.lock(pages(0, 8), LockOption.ON_FAULT);
        assertEquals(Mode.FULL, kernel.mode(memory + 2 * PAGE));
        assertEquals(Mode.ON_FAULT, kernel.mode(memory + 7 * PAGE));
        full.close();
        onFault.close();
        assertEquals("00110000", locked());
        again.close();
        assertEquals("00000000", locked());
    }

    @Test
    void L14_memoryThatIsNeverLocked() {
        start(Systems.of("linux"));
        long droppable = kernel.map(2, Kind.DROPPABLE);
        PageLockException refused =
                assertThrows(PageLockException.class, () -> locker.lock(MemoryRange.of(droppable, 2 * PAGE)));
        assertEquals(Reason.CANNOT_BE_PAGED_IN, refused.reason());
        assertEquals(0, locker.statistics().openHandles());
        assertEquals(Map.of(Reason.CANNOT_BE_PAGED_IN, 1L), locker.statistics().failures());
    }

    @Test
    void L18_aRollbackThatIsRefusedBecomesStray() {
        start(Systems.of("linux"));
        PageLock other = locker.lock(pages(7, 1));
        kernel.unmap(memory + 2 * PAGE, 1);
        kernel.touch(memory);
        kernel.intercept((call, address, length) -> call == Call.MUNLOCK ? Errno.EAGAIN : Errno.OK);
        PageLockException failure = assertThrows(PageLockException.class, () -> locker.lock(pages(0, 4)));
        assertEquals(Reason.NOT_MAPPED, failure.reason(), "the first failure, not the second");
        assertEquals(1, failure.getSuppressed().length);
        assertEquals("10000001", locked());
        assertTrue(locker.statistics().leftoverBytes() > 0);
        assertEquals(PAGE, locker.statistics().lockedBytes());
        kernel.intercept(null);
        other.close();
        assertEquals("00000000", locked());
        assertEquals(0, locker.statistics().leftoverBytes());
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L18_aNewHandleTakesStraysOver() {
        start(Systems.of("linux"));
        kernel.unmap(memory + 2 * PAGE, 1);
        // Not what an unlock over a hole leaves, so the engine does not go round.
        kernel.failAt(Call.MUNLOCK, 1, Errno.EPERM);
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, 4)));
        assertTrue(locker.statistics().leftoverBytes() > 0);
        try (PageLock lock = locker.lock(pages(0, 2))) {
            locker.lock(pages(5, 1)).close();
            assertEquals("11000000", locked(), "held pages are not swept as strays");
        }
        assertEquals(0, kernel.lockedBytes());
        assertEquals(0, locker.statistics().leftoverBytes());
    }

    /** The system leaves nothing of a failed lock, but the pages were locked before it. */
    @Test
    void L18_aLockThatFailsOverStraysDoesNotForgetThem() {
        start(Systems.of("freebsd"));
        assertTrue(backend.failedLockLeavesNothing());
        kernel.unmap(memory + 5 * PAGE, 1);
        kernel.failAt(Call.MUNLOCK, 1, Errno.EPERM);
        assertThrows(PageLockException.class, () -> locker.lock(List.of(pages(0, 1), pages(5, 1))));
        assertEquals(PAGE, locker.statistics().leftoverBytes());
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, 6)));
        locker.lock(pages(7, 1)).close();
        assertEquals("00000000", locked());
        assertEquals(0, locker.statistics().leftoverBytes());
    }

    @Test
    void aSweepThatFailsIsNotThrownAtAnother() {
        start(Systems.of("linux"));
        PageLock other = locker.lock(pages(7, 1));
        kernel.unmap(memory + 2 * PAGE, 1);
        // Not what an unlock over a hole leaves, so the engine does not go round.
        kernel.failAt(Call.MUNLOCK, 1, Errno.EPERM);
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, 4)));
        assertTrue(locker.statistics().leftoverBytes() > 0);
        kernel.throwAt(Call.MUNLOCK, 2, new IllegalStateException("ordered"), false);
        other.close();
        assertFalse(other.isValid());
        assertTrue(locker.statistics().leftoverBytes() > 0);
        locker.lock(pages(7, 1)).close();
        assertEquals(0, locker.statistics().leftoverBytes());
    }

    @ParameterizedTest
    @MethodSource("everySystem")
    void A1_futureStaysOnAfterCurrent(KernelRules rules) {
        start(rules);
        AddressSpaceLock future = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        AddressSpaceLock current = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        assertEquals(Mode.FULL, kernel.future());
        future.close();
        assertEquals(Mode.NONE, kernel.future());
        assertEquals("11111111", locked());
        current.close();
        assertEquals(0, kernel.lockedBytes());
    }

    @ParameterizedTest
    @MethodSource("everySystem")
    void A2_aRefusedCallLeavesNoFuture(KernelRules rules) {
        start(rules);
        kernel.setLimit(2 * PAGE);
        kernel.setSystemLimit(2 * PAGE);
        try (PageLock lock = locker.lock(pages(0, 2))) {
            assertThrows(PageLockException.class, () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE));
            assertEquals(Mode.NONE, kernel.future());
            assertEquals("11000000", locked(), "the handle survives");
            assertTrue(lock.isValid());
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @ParameterizedTest
    @MethodSource("everySystem")
    void A2_aRefusedCallLeavesWhatIsInForceUnderALoweredLimit(KernelRules rules) {
        start(rules);
        PageLock lock = locker.lock(pages(0, 2));
        AddressSpaceLock first = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        kernel.setLimit(0);
        kernel.setSystemLimit(0);
        assertThrows(PageLockException.class, () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT));
        assertEquals("11111111", locked());
        assertTrue(lock.isValid() && first.isValid());
        kernel.setLimit(Long.MAX_VALUE);
        kernel.setSystemLimit(Long.MAX_VALUE);
        first.close();
        assertEquals("11000000", locked());
        lock.close();
    }

    @ParameterizedTest
    @MethodSource("everySystem")
    void A3_handlesComeBackWhenTheRestOfTheAddressSpaceDoesNot(KernelRules rules) {
        start(rules);
        PageLock lock = locker.lock(pages(0, 2));
        AddressSpaceLock current = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        AddressSpaceLock future = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        kernel.failAt(Call.MLOCKALL, 1, Errno.EAGAIN);
        assertThrows(PageLockException.class, future::close);
        assertTrue(future.isValid(), "it can be closed again");
        assertEquals("11", locked().substring(0, 2));
        assertTrue(lock.isValid());
        future.close();
        assertEquals("11111111", locked());
        current.close();
        assertEquals("11000000", locked());
        lock.close();
    }

    @Test
    void A3_aHandleThatCannotBeLockedAgainIsReported() {
        start(Systems.of("freebsd"));
        PageLock lock = locker.lock(pages(0, 2));
        PageLock small = locker.lock(pages(4, 1));
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        kernel.setLimit(PAGE);
        PageLockException refused = assertThrows(PageLockException.class, all::close);
        assertEquals(Reason.OVER_LIMIT, refused.reason());
        assertFalse(all.isValid());
        assertFalse(lock.isValid());
        assertTrue(small.isValid());
        assertEquals("00001000", locked());
        lock.close();
        small.close();
        assertEquals(0, locker.statistics().lockedBytes());
    }

    @Test
    void A4_pagesOfClosedHandlesAreStrayUntilTheEnd() {
        start(Systems.of("freebsd"));
        PageLock lock = locker.lock(pages(0, 2));
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        lock.close();
        assertEquals("11000000", locked());
        assertEquals(2 * PAGE, locker.statistics().leftoverBytes());
        assertEquals(0, locker.statistics().lockedBytes());
        all.close();
        assertEquals(0, kernel.lockedBytes());
        assertEquals(0, locker.statistics().leftoverBytes());
    }

    @Test
    void A5_aRefusedEndCanBeRepeated() {
        start(Systems.of("solaris").withPageSize(PAGE));
        PageLock lock = locker.lock(pages(0, 2));
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE);
        kernel.setPrivileged(false);
        PageLockException refused = assertThrows(PageLockException.class, all::close);
        assertEquals(Reason.NOT_PERMITTED, refused.reason());
        assertTrue(all.isValid() && lock.isValid());
        assertEquals("11111111", locked());
        kernel.setPrivileged(true);
        all.close();
        assertEquals("11000000", locked());
        lock.close();
    }

    @Test
    void A9_mixedStrengthsAddUp() {
        start(Systems.of("linux"));
        AddressSpaceLock weak = locker.lockAddressSpace(AddressSpaceScope.FUTURE, LockOption.ON_FAULT);
        assertEquals(Mode.ON_FAULT, kernel.future());
        AddressSpaceLock strong = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        assertEquals(Mode.FULL, kernel.future());
        strong.close();
        assertEquals(Mode.ON_FAULT, kernel.future());
        weak.close();
        assertEquals(Mode.NONE, kernel.future());
    }

    @Test
    void A2_whatCannotBeTakenBackIsTriedAgainAtTheNextClose() {
        start(Systems.of("linux"));
        PageLock lock = locker.lock(pages(0, 1));
        kernel.intercept(new FakeKernel.Interceptor() {
            @Override
            public Errno before(Call call, long address, long length) {
                return call == Call.MUNLOCKALL ? Errno.EPERM : Errno.OK;
            }

            @Override
            public void after(Call call, long address, long length, Errno result) {
                if (call == Call.MLOCKALL) {
                    throw new OutOfMemoryError("test");
                }
            }
        });
        assertThrows(OutOfMemoryError.class, () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE));
        assertEquals(Mode.FULL, kernel.future(), "nobody has it, and it cannot be ended");
        kernel.intercept(null);
        lock.close();
        assertEquals(Mode.NONE, kernel.future());
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aBackendThatBreaksWhileItIsAskedForTheRestIsARefusal() {
        start(Systems.of("linux"));
        PageLock lock = locker.lock(pages(0, 2));
        kernel.setLimit(PAGE);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK && address == memory + 2 * PAGE) {
                throw new IllegalStateException("broken");
            }
            return Errno.OK;
        });
        assertEquals(
                Reason.OVER_LIMIT,
                assertThrows(PageLockException.class, () -> locker.lock(pages(0, 4)))
                        .reason());
        assertEquals("11000000", locked());
        lock.close();
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L6_memoryMappedAnewUnderAHandle() {
        start(Systems.of("linux"));
        PageLock stale = locker.lock(pages(0, 4));
        kernel.mapAt(memory, 4, Kind.ANONYMOUS);
        PageLock fresh = locker.lock(pages(0, 2), LockOption.ON_FAULT);
        assertEquals("11000000", locked(), "where a full lock is open, it is a full lock");
        stale.close();
        assertEquals("11000000", locked());
        fresh.close();
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void optionsAndRangesAreAsAskedFor() {
        start(Systems.of("linux"));
        MemoryRange odd = MemoryRange.of(memory + 5, 10);
        try (PageLock lock = locker.lock(List.of(pages(3, 1), odd), LockOption.ON_FAULT)) {
            assertEquals(List.of(odd, pages(3, 1)), lock.ranges());
            assertEquals(Set.of(LockOption.ON_FAULT), lock.options());
        }
        try (PageLock lock = locker.lock(odd)) {
            assertSame(odd, lock.ranges().get(0));
            assertThrows(
                    UnsupportedOperationException.class, () -> lock.options().add(LockOption.ON_FAULT));
        }
    }

    /** Locks of the first part take long enough for the engine to see that pages must be brought in. */
    private long startSlowly(int mebibytes) {
        start(Systems.of("linux"));
        long large = kernel.map(((long) mebibytes << 20) / PAGE, Kind.ANONYMOUS);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK && address - large < 8 << 20) {
                LockSupport.parkNanos(5_000_000);
            }
            return Errno.OK;
        });
        return large;
    }

    @Test
    void L20_theRestOfASlowLockIsPagedInFirst() {
        long large = startSlowly(96);
        try (PageLock lock = locker.lock(MemoryRange.of(large, 96L << 20))) {
            assertTrue(kernel.count(Call.POPULATE) > 0, "nothing was paged in by itself");
            assertEquals(96L << 20, kernel.lockedBytes());
            assertTrue(kernel.isAllLocked(large, 96L << 20));
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L20_pagingInThatFailsIsLeftToTheLock() {
        long large = startSlowly(96);
        kernel.failAt(Call.POPULATE, 1, Errno.EFAULT);
        kernel.throwAt(Call.POPULATE, 2, new IllegalStateException("ordered"), false);
        try (PageLock lock = locker.lock(MemoryRange.of(large, 96L << 20))) {
            assertTrue(kernel.count(Call.POPULATE) <= 4, "no thread goes on after a failure");
            assertTrue(kernel.isAllLocked(large, 96L << 20));
        }
    }

    @Test
    void L20_aLargeRangeIsUnlockedInSteps() {
        start(Systems.of("linux"));
        long large = kernel.map((192L << 20) / PAGE, Kind.ANONYMOUS);
        PageLock lock = locker.lock(MemoryRange.of(large, 192L << 20), LockOption.ON_FAULT);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MUNLOCK) {
                LockSupport.parkNanos(5_000_000);
            }
            return Errno.OK;
        });
        lock.close();
        assertTrue(kernel.count(Call.MUNLOCK) >= 3, "64 MiB take 5 ms or more, and so no step may be larger");
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L20_aStepThatIsNotUnlockedLeavesTheHandleToBeClosedAgain() {
        start(Systems.of("linux"));
        long large = kernel.map((192L << 20) / PAGE, Kind.ANONYMOUS);
        PageLock lock = locker.lock(MemoryRange.of(large, 192L << 20), LockOption.ON_FAULT);
        kernel.failAt(Call.MUNLOCK, 2, Errno.EAGAIN);
        assertThrows(PageLockException.class, lock::close);
        assertTrue(lock.isValid());
        assertEquals(192L << 20, locker.statistics().lockedBytes());
        lock.close();
        assertEquals(0, kernel.lockedBytes());
        assertEquals(0, locker.statistics().openHandles());
    }

    @Test
    void A2_whatIsNotPermittedEndangersNoHandle() {
        start(Systems.of("freebsd"));
        try (PageLock lock = locker.lock(pages(0, 1))) {
            kernel.setForbidden(true);
            PageLockException refused = assertThrows(
                    PageLockException.class, () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE));
            assertEquals(Reason.NOT_PERMITTED, refused.reason());
            assertEquals(0, kernel.count(Call.MUNLOCKALL));
            assertEquals(0, refused.getSuppressed().length);
            kernel.setForbidden(false);
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void F3_aBatchOverTheLimitTellsTheNumbersOfTheWhole() {
        start(Systems.of("linux"));
        try (PageLock lock = locker.lock(pages(7, 1))) {
            kernel.setLimit(3 * PAGE);
            PageLockException refused = assertThrows(
                    PageLockException.class, () -> locker.lock(List.of(pages(0, 1), pages(2, 1), pages(4, 2))));
            assertEquals(Reason.OVER_LIMIT, refused.reason());
            assertTrue(
                    refused.detail().startsWith("asked for 16384 bytes (16 KiB) in all, 4096 bytes"), refused.detail());
            assertTrue(refused.remedies().toString().contains(Long.toString(5 * PAGE)), refused.remedies()::toString);
            assertEquals("00000001", locked());
        }
    }

    /** Pages that are locked belong to the address space: they are not charged a second time. */
    @Test
    void A8_theRemedyForTheAddressSpaceIsItsSize() {
        start(Systems.of("linux"));
        try (PageLock lock = locker.lock(pages(0, 2))) {
            kernel.setLimit(3 * PAGE);
            Forecast current = locker.forecastAddressSpace(AddressSpaceScope.CURRENT);
            assertEquals(Tristate.NO, current.fits());
            assertEquals(kernel.virtualBytes(), current.bytes());
            assertTrue(
                    current.remedies().toString().contains(Long.toString(kernel.virtualBytes())),
                    current.remedies()::toString);
            assertFalse(current.detail().contains("every later mapping"), current::detail);
            Forecast both = locker.forecastAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE);
            assertTrue(both.detail().contains("every later mapping in addition"), both::detail);
        }
    }

    @Test
    void F3_aLargeRangeOverTheLimitTellsTheNumbersOfTheWhole() {
        start(Systems.of("linux").withPageSize(2L << 20));
        MemoryRange all = MemoryRange.of(kernel.map(8, Kind.ANONYMOUS), 16L << 20);
        try (PageLock lock = locker.lock(MemoryRange.of(all.address(), 1))) {
            kernel.setLimit(8L << 20);
            PageLockException refused = assertThrows(PageLockException.class, () -> locker.lock(all));
            assertTrue(
                    refused.detail().startsWith("asked for 16777216 bytes (16 MiB) in all, 2097152 bytes"),
                    refused.detail());
            assertEquals(2L << 20, kernel.lockedBytes());
        }
    }

    @Test
    void aFailedLockThatLeftNothingIsNotUnlockedButOneThatFollowedAnotherIs() {
        FakeKernel system = new FakeKernel(Systems.of("freebsd"));
        PageLocker over = PageLockers.over(new FakeBackend(system));
        long size = system.rules().pageSize();
        long memory = system.map(3, Kind.ANONYMOUS);
        system.unmap(memory + size, 1);
        assertThrows(PageLockException.class, () -> over.lock(MemoryRange.of(memory, 3 * size)));
        assertEquals(0, system.count(Call.MUNLOCK));
        List<MemoryRange> ranges = List.of(MemoryRange.of(memory, size), MemoryRange.of(memory + size, size));
        assertThrows(PageLockException.class, () -> over.lock(ranges));
        assertEquals(0, system.lockedBytes());
        List<MemoryRange> apart =
                List.of(MemoryRange.of(memory + 2 * size, size), MemoryRange.of(memory + 8 * size, size));
        assertThrows(PageLockException.class, () -> over.lock(apart));
        assertEquals(0, system.lockedBytes());
        assertTrue(system.count(Call.MUNLOCK) > 0);
    }
}
