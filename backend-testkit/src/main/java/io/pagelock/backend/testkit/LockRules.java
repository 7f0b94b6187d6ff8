// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.PageStateReading;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Group L: locking ranges. */
abstract class LockRules extends RangeRules {
    /** More than a system should be asked for at once. */
    private static final long LARGE = 8L << 20;

    @Test
    void L1_lockedPagesAreResidentAndLocked() {
        needs(Ability.SEE_LOCKED, Ability.SEE_RESIDENT);
        needsRoom(4);
        long memory = harness.map(4);
        try (PageLock lock = locker.lock(pages(memory, 4))) {
            for (int i = 0; i < 4; i++) {
                assertTrue(harness.isResident(memory + i * page), "page " + i + " is not resident");
            }
            assertLocked("1111", memory);
        }
        assertLocked("0000", memory);
    }

    @Test
    void L1_theSystemCountsWhatIsLocked() {
        needs(Ability.SEE_LOCKED_BYTES);
        needsRoom(3);
        long before = harness.lockedBytes();
        try (PageLock lock = locker.lock(pages(harness.map(3), 3))) {
            assertEquals(before + 3 * page, harness.lockedBytes());
        }
        assertEquals(before, harness.lockedBytes());
    }

    @Test
    void L2_aLockOverAHoleLeavesNothingLocked() {
        needs(Ability.SEE_LOCKED);
        needsRoom(5);
        long memory = harness.map(5);
        harness.touch(memory);
        harness.unmap(memory + 2 * page, 1);
        assertThrows(PageLockException.class, () -> locker.lock(pages(memory, 5)));
        assertLocked("00000", memory);
        assertNothingCounted();
    }

    @Test
    void L2_aLockOverAnInaccessiblePageLeavesNothingLocked() {
        needs(Ability.SEE_LOCKED, Ability.PROTECT);
        needsRoom(5);
        long memory = harness.map(5);
        harness.touch(memory);
        harness.protect(memory + 2 * page, 1);
        assertThrows(PageLockException.class, () -> locker.lock(pages(memory, 5)));
        assertLocked("00000", memory);
        assertNothingCounted();
    }

    @Test
    void L2_aLockPastTheEndOfAFileLeavesNothingLocked() {
        needs(Ability.SEE_LOCKED, Ability.TRUNCATE);
        needsRoom(4);
        long memory = harness.mapFile(4);
        harness.truncate(memory, 2);
        assertThrows(PageLockException.class, () -> locker.lock(pages(memory, 4)));
        assertLocked("0000", memory);
        assertNothingCounted();
    }

    /** Without the engine, which would unlock. */
    @Test
    void L2_whatIsSaidToLeaveNothingLeavesNothing() {
        assumeTrue(backend.failedLockLeavesNothing(), "the backend says that a failed lock may leave something");
        needs(Ability.SEE_LOCKED);
        needsRoom(5);
        long memory = harness.map(5);
        harness.unmap(memory + 3 * page, 1);
        assertRefusedWithoutTrace(memory, 5);
        if (harness.abilities().contains(Ability.PROTECT)) {
            memory = harness.map(5);
            harness.protect(memory + 3 * page, 1);
            assertRefusedWithoutTrace(memory, 5);
        }
        if (harness.abilities().contains(Ability.TRUNCATE)) {
            memory = harness.mapFile(5);
            harness.truncate(memory, 3);
            assertRefusedWithoutTrace(memory, 5);
        }
        if (harness.abilities().containsAll(Arrays.asList(Ability.SET_LIMIT, Ability.SEE_LOCKED_BYTES))) {
            memory = harness.map(5);
            harness.setLimit(harness.lockedBytes() + 3 * page);
            assertRefusedWithoutTrace(memory, 5);
        }
    }

    private void assertRefusedWithoutTrace(long memory, int count) {
        assertThrows(PageLockException.class, () -> backend.lock(memory, count * page, Collections.emptySet()));
        assertLocked("00000".substring(0, count), memory);
        assertNothingCounted();
    }

    /** What was locked but never brought in shows in the system's count alone. */
    private void assertNothingCounted() {
        if (harness.abilities().contains(Ability.SEE_LOCKED_BYTES)) {
            assertEquals(0, harness.lockedBytes(), "bytes that the system counts as locked after the failure");
        }
    }

    @Test
    void L3_aFailedLockLeavesOtherHandlesAlone() {
        needs(Ability.SEE_LOCKED);
        needsRoom(6);
        long memory = harness.map(6);
        harness.unmap(memory + 3 * page, 1);
        try (PageLock before = locker.lock(pages(memory + page, 1));
                PageLock after = locker.lock(pages(memory + 4 * page, 1))) {
            assertThrows(PageLockException.class, () -> locker.lock(pages(memory, 6)));
            assertLocked("010010", memory);
        }
        assertLocked("000000", memory);
    }

    @Test
    void L4_aPageStaysLockedUntilTheLastHandleCloses() {
        needs(Ability.SEE_LOCKED);
        needsRoom(3);
        long memory = harness.map(3);
        PageLock left = locker.lock(pages(memory, 2));
        PageLock right = locker.lock(pages(memory + page, 2));
        assertLocked("111", memory);
        left.close();
        assertLocked("011", memory);
        right.close();
        assertLocked("000", memory);
    }

    @Test
    void L4_twoObjectsOnOnePageNest() {
        needs(Ability.SEE_LOCKED);
        needsRoom(1);
        long memory = harness.map(1);
        PageLock first = locker.lock(MemoryRange.of(memory + 16, 16));
        PageLock second = locker.lock(MemoryRange.of(memory + 64, 16));
        first.close();
        assertLocked("1", memory);
        second.close();
        assertLocked("0", memory);
    }

    @Test
    void L6_memoryMappedAnewUnderAHandleIsLockedByTheNextLock() {
        needs(Ability.SEE_LOCKED, Ability.REMAP);
        needsRoom(2);
        long memory = harness.map(2);
        try (PageLock stale = locker.lock(pages(memory, 2))) {
            harness.remap(memory, 2);
            assertLocked("00", memory);
            try (PageLock fresh = locker.lock(pages(memory, 2))) {
                assertLocked("11", memory);
            }
        }
        assertLocked("00", memory);
    }

    @Test
    void L7_heldPagesAreLockedAgainUnderALoweredLimit() {
        needs(Ability.SEE_LOCKED, Ability.SEE_LOCKED_BYTES, Ability.SET_LIMIT);
        needs(Capability.LOCKED_PAGES, Capability.RESIDENT_PAGES);
        needsRoom(3);
        long memory = harness.map(3);
        try (PageLock lock = locker.lock(pages(memory, 3))) {
            harness.setLimit(harness.lockedBytes() - page);
            try (PageLock again = locker.lock(pages(memory, 3))) {
                assertLocked("111", memory);
            }
            assertLocked("111", memory);
        }
    }

    @Test
    void L7_onlyPagesThatAreNotHeldAreAskedForAtTheLimit() {
        needs(Ability.SEE_LOCKED, Ability.SEE_LOCKED_BYTES, Ability.SET_LIMIT);
        needs(Capability.LOCKED_PAGES, Capability.RESIDENT_PAGES);
        needsRoom(3);
        long memory = harness.map(3);
        try (PageLock lock = locker.lock(pages(memory, 2))) {
            harness.setLimit(harness.lockedBytes() + page);
            try (PageLock more = locker.lock(pages(memory, 3))) {
                assertLocked("111", memory);
            }
            assertLocked("110", memory);
        }
    }

    @Test
    void L8_closingTwiceReleasesNoNeighbour() throws InterruptedException {
        needs(Ability.SEE_LOCKED);
        needsRoom(1);
        long memory = harness.map(1);
        PageLock twice = locker.lock(pages(memory, 1));
        PageLock neighbour = locker.lock(pages(memory, 1));
        twice.close();
        twice.close();
        assertLocked("1", memory);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread other = new Thread(neighbour::close);
        other.setUncaughtExceptionHandler((thread, thrown) -> failure.set(thrown));
        other.start();
        other.join();
        assertEquals(null, failure.get(), "close from another thread");
        assertLocked("0", memory);
    }

    @Test
    void L8_unlockingWhatIsNotLockedIsNoError() {
        needsRoom(1);
        long memory = harness.map(2);
        backend.unlock(memory, 2 * page);
        backend.lock(memory, page, Collections.emptySet());
        backend.unlock(memory, 2 * page);
        backend.unlock(memory, 2 * page);
    }

    @Test
    void L9_aRefusedUnlockIsThrownAndCanBeRepeated() {
        needs(Ability.SEE_LOCKED, Ability.REFUSE_UNLOCK);
        needsRoom(2);
        long memory = harness.map(2);
        PageLock lock = locker.lock(pages(memory, 2));
        harness.refuseUnlock(true);
        assertThrows(PageLockException.class, lock::close);
        assertLocked("11", memory);
        assertTrue(lock.isValid());
        harness.refuseUnlock(false);
        lock.close();
        assertLocked("00", memory);
        assertFalse(lock.isValid());
    }

    @Test
    void L10_aHoleInAHandleDoesNotKeepTheRestLocked() {
        needs(Ability.SEE_LOCKED);
        needsRoom(5);
        long memory = harness.map(5);
        PageLock lock = locker.lock(pages(memory, 5));
        harness.unmap(memory + page, 1);
        harness.unmap(memory + 3 * page, 1);
        assertLocked("10101", memory);
        lock.close();
        assertLocked("00000", memory);
        assertFalse(lock.isValid());
    }

    @Test
    void L10_unlockingOverAHoleIsReportedAsNotMapped() {
        needsRoom(1);
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        refusal(Reason.NOT_MAPPED, () -> backend.unlock(memory, 3 * page));
    }

    @Test
    void L10_theMappedPartsOfARangeAreTheTruth() {
        long memory = harness.map(4);
        harness.unmap(memory + page, 1);
        Optional<List<MemoryRange>> parts =
                backend.ability(PageStateReading.class).flatMap(reading -> reading.mapped(pages(memory, 4)));
        if (parts.isPresent()) {
            assertEquals(Arrays.asList(pages(memory, 1), pages(memory + 2 * page, 2)), parts.get());
        }
    }

    @Test
    void L11_aHandleThatIsDroppedIsUnlockedAndCounted() throws InterruptedException {
        needs(Ability.SEE_LOCKED);
        needsRoom(1);
        long memory = harness.map(1);
        long before = locker.statistics().leakedHandles();
        locker.lock(pages(memory, 1));
        assertTrue(afterCollection(() -> !isLocked(memory, 0)), "the page of a dropped handle stays locked");
        assertEquals(before + 1, locker.statistics().leakedHandles());
    }

    @Test
    void L12_onFaultLocksPagesWhenTheyAreTouched() {
        needs(Capability.LOCK_ON_FAULT);
        needs(Ability.SEE_LOCKED, Ability.SEE_RESIDENT);
        needsRoom(3);
        long memory = harness.map(3);
        harness.touch(memory);
        try (PageLock lock = locker.lock(pages(memory, 3), LockOption.ON_FAULT)) {
            assertLocked("100", memory);
            assertFalse(harness.isResident(memory + page), "a page was brought in before it was touched");
            harness.touch(memory + page);
            assertLocked("110", memory);
        }
        assertLocked("000", memory);
    }

    @Test
    void L13_onFaultDoesNotWeakenAFullLock() {
        needs(Capability.LOCK_ON_FAULT);
        needs(Ability.SEE_LOCKED);
        needsRoom(3);
        long memory = harness.map(3);
        try (PageLock full = locker.lock(pages(memory + page, 1))) {
            PageLock onFault = locker.lock(pages(memory, 3), LockOption.ON_FAULT);
            assertLocked("010", memory);
            if (harness.abilities().contains(Ability.SEE_ON_FAULT)) {
                assertFalse(harness.isOnFault(memory + page), "the full lock was weakened");
                assertTrue(harness.isOnFault(memory));
            }
            onFault.close();
            assertLocked("010", memory);
        }
        assertLocked("000", memory);
    }

    @Test
    void L13_aFullLockOverOnFaultBringsPagesIn() {
        needs(Capability.LOCK_ON_FAULT);
        needs(Ability.SEE_LOCKED);
        needsRoom(2);
        long memory = harness.map(2);
        try (PageLock onFault = locker.lock(pages(memory, 2), LockOption.ON_FAULT)) {
            assertLocked("00", memory);
            PageLock full = locker.lock(pages(memory, 2));
            assertLocked("11", memory);
            full.close();
            assertLocked("11", memory);
        }
        assertLocked("00", memory);
    }

    @Test
    void L14_aSuccessThatLockedNothingIsAFailure() {
        needs(Ability.SEE_LOCKED, Ability.MAP_UNLOCKABLE);
        needsRoom(2);
        long memory = harness.mapUnlockable(2);
        assertThrows(PageLockException.class, () -> locker.lock(pages(memory, 2)));
        assertLocked("00", memory);
    }

    @Test
    void L15_aLongLockDelaysNoOther() throws InterruptedException {
        needs(Ability.SEE_LOCKED, Ability.HOLD_LOCK);
        needsRoom(3);
        long slow = harness.map(1);
        long quick = harness.map(1);
        long open = harness.map(1);
        PageLock before = locker.lock(pages(open, 1));
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch until = new CountDownLatch(1);
        harness.holdNextLock(arrived, until);
        Thread waiting = new Thread(() -> locker.lock(pages(slow, 1)).close());
        waiting.start();
        assertTrue(arrived.await(patienceMillis, TimeUnit.MILLISECONDS));
        Thread others = new Thread(() -> {
            locker.lock(pages(quick, 1)).close();
            before.close();
        });
        others.start();
        others.join(patienceMillis);
        boolean delayed = others.isAlive();
        until.countDown();
        others.join();
        waiting.join();
        assertFalse(delayed, "a lock or a close waited for a lock of another range");
        assertLocked("0", open);
    }

    @Test
    void L16_aHolderNeverFindsItsPageUnlocked() throws InterruptedException {
        needs(Ability.SEE_LOCKED);
        needsRoom(2);
        long memory = harness.map(2);
        long begin = System.nanoTime();
        AtomicBoolean found = new AtomicBoolean();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicInteger closes = new AtomicInteger();
        // Locks during which the other thread closed one: on a busy machine, none may be for a while.
        AtomicInteger shared = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Thread thread = new Thread(() -> {
                while (!found.get() && goesOn(begin, shared.get())) {
                    try (PageLock lock = locker.lock(pages(memory, 2))) {
                        int before = closes.get();
                        // Several looks, so that the other thread locks and closes between them.
                        for (int look = 0; look < 5; look++) {
                            if (closes.get() != before) {
                                before = closes.get();
                                shared.incrementAndGet();
                            }
                            if (!isLocked(memory, 0) || !isLocked(memory, 1)) {
                                found.set(true);
                            }
                            Thread.yield();
                        }
                    }
                    closes.incrementAndGet();
                }
            });
            thread.setUncaughtExceptionHandler((where, thrown) -> failure.set(thrown));
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(null, failure.get());
        assertFalse(found.get(), "a holder found its page unlocked");
        assertLocked("00", memory);
    }

    private static boolean goesOn(long begin, int shared) {
        long milliseconds = (System.nanoTime() - begin) / 1_000_000;
        return milliseconds < 100 || milliseconds < 10_000 && shared < 100;
    }

    @Test
    void L17_manyRangesLockAsOne() {
        needs(Ability.SEE_LOCKED);
        needsRoom(4);
        long memory = harness.map(6);
        List<String> calls = new ArrayList<>();
        List<MemoryRange> ranges = Arrays.asList(
                pages(memory + 4 * page, 1),
                pages(memory + page, 1),
                MemoryRange.of(memory + 1, page),
                pages(memory, 1));
        PageLock lock = locker(recording(calls)).lock(ranges);
        assertLocked("110010", memory);
        assertEquals(
                Arrays.asList(
                        "lock" + Arrays.asList(memory, 2 * page, Collections.emptySet()),
                        "lock" + Arrays.asList(memory + 4 * page, page, Collections.emptySet())),
                calls);
        lock.close();
        assertLocked("000000", memory);
    }

    @Test
    void L17_ifOneOfManyRangesFailsNoneIsLocked() {
        needs(Ability.SEE_LOCKED);
        needsRoom(3);
        long memory = harness.map(5);
        harness.unmap(memory + 2 * page, 1);
        List<MemoryRange> ranges =
                Arrays.asList(pages(memory, 1), pages(memory + 2 * page, 1), pages(memory + 4 * page, 1));
        assertThrows(PageLockException.class, () -> locker.lock(ranges));
        assertLocked("00000", memory);
    }

    @Test
    void L18_whatCannotBeUnlockedAfterAFailureIsTriedAgain() {
        needs(Ability.SEE_LOCKED, Ability.REFUSE_UNLOCK, Ability.REFUSE_UNLOCK_ALONE);
        needsRoom(4);
        long memory = harness.map(3);
        long other = harness.map(1);
        harness.unmap(memory + 2 * page, 1);
        PageLock later = locker.lock(pages(other, 1));
        harness.refuseUnlock(true);
        List<MemoryRange> ranges = Arrays.asList(pages(memory, 1), pages(memory + 2 * page, 1));
        assertThrows(PageLockException.class, () -> locker.lock(ranges));
        assertLocked("1", memory);
        assertTrue(locker.statistics().leftoverBytes() >= page);
        harness.refuseUnlock(false);
        later.close();
        assertLocked("00", memory);
        assertEquals(0, locker.statistics().leftoverBytes());
    }

    @Test
    void L19_anAsynchronousLockLocks() throws Exception {
        needs(Ability.SEE_LOCKED);
        needsRoom(2);
        long memory = harness.map(2);
        PageLock lock = locker.lockAsync(pages(memory, 2)).get(patienceMillis, TimeUnit.MILLISECONDS);
        assertLocked("11", memory);
        lock.close();
        assertLocked("00", memory);
    }

    @Test
    void L19_aRefusedAsynchronousLockLeavesNothingLocked() {
        needs(Ability.SEE_LOCKED);
        needsRoom(3);
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        PendingLock pending = locker.lockAsync(pages(memory, 3));
        ExecutionException failure =
                assertThrows(ExecutionException.class, () -> pending.get(patienceMillis, TimeUnit.MILLISECONDS));
        assertTrue(failure.getCause() instanceof PageLockException, failure.toString());
        assertEquals(Reason.NOT_MAPPED, ((PageLockException) failure.getCause()).reason(), failure.toString());
        assertLocked("000", memory);
    }

    @Test
    void L19_whatIsCancelledWhileItRunsIsUnlockedAgain() throws InterruptedException {
        needs(Ability.SEE_LOCKED, Ability.HOLD_LOCK);
        needsRoom(1);
        long memory = harness.map(1);
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch until = new CountDownLatch(1);
        harness.holdNextLock(arrived, until);
        PendingLock pending = locker.lockAsync(pages(memory, 1));
        assertTrue(arrived.await(patienceMillis, TimeUnit.MILLISECONDS));
        assertTrue(pending.cancel(true));
        until.countDown();
        assertTrue(afterCollection(() -> locker.statistics().openHandles() == 0), "the cancelled lock is still open");
        assertEquals(0, locker.statistics().leakedHandles());
        // What was reported as over must not go on.
        Thread.sleep(50);
        assertLocked("0", memory);
    }

    @Test
    void L20_aLargeRangeIsLockedInSteps() {
        needs(Ability.SEE_LOCKED);
        long count = LARGE / page;
        needsRoom(count);
        long memory = harness.map(count);
        List<String> calls = new ArrayList<>();
        try (PageLock lock = locker(recording(calls)).lock(pages(memory, count))) {
            assertFalse(
                    calls.contains("lock" + Arrays.asList(memory, LARGE, Collections.emptySet())),
                    "one call brought all of " + LARGE + " bytes in");
            for (long i = 0; i < count; i += count / 8) {
                assertTrue(isLocked(memory, i), "page " + i);
            }
            assertTrue(isLocked(memory, count - 1), "the last page");
        }
        assertFalse(isLocked(memory, 0));
        assertFalse(isLocked(memory, count - 1));
    }
}
