// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Errno;
import io.pagelock.backend.testkit.FakeBackend;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.FakeKernel.Call;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.Systems;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What only threads of the library itself do: the reaper and the sweeps, beside a call that drops everything. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RangeLocksTest {
    private static final long PAGE = 4096;

    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    });
    private final FakeKernel kernel = new FakeKernel(Systems.of("linux").withPageSize(PAGE));
    private final FakeBackend backend = new FakeBackend(kernel);
    private final RangeLocks ranges = new RangeLocks(backend);
    private final Renewal renewal = new Renewal(ranges);
    private final long memory = kernel.map(512, Kind.ANONYMOUS);

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    private Hold hold(int first, int count) {
        return new Hold(null, null, memory + first * PAGE, memory + (first + count) * PAGE, false);
    }

    @Test
    void whatNeverBeganHoldsNothing() {
        Hold other = hold(0, 4);
        ranges.acquire(other, Progress.UNWATCHED);
        Hold cancelled = hold(1, 2);
        ranges.reap(cancelled);
        assertTrue(kernel.isAllLocked(memory, 4 * PAGE), "unlocked for a hold that never began");
        assertEquals(1, ranges.openHolds());
        ranges.release(other);
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aHoldIsAbandonedOnce() throws Exception {
        Hold hold = hold(0, 1);
        ranges.acquire(hold, Progress.UNWATCHED);
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch until = new CountDownLatch(1);
        List<Future<?>> all = new ArrayList<>();
        all.add(threads.submit(() -> renewal.dropAll(
                keep -> {
                    arrived.countDown();
                    await(until);
                    backend.unlockAll(keep);
                },
                null)));
        await(arrived);
        Callable<Boolean> abandon = () -> ranges.reap(hold);
        all.add(threads.submit(abandon));
        all.add(threads.submit(abandon));
        Thread.sleep(100);
        until.countDown();
        for (Future<?> each : all) {
            each.get(60, TimeUnit.SECONDS);
        }
        assertEquals(0, ranges.openHolds());
        assertEquals(0, ranges.heldBytes());
        threads.submit(() -> renewal.dropAll(backend::unlockAll, null)).get(60, TimeUnit.SECONDS);
    }

    /** The window lies between two synchronized blocks, so this takes some tries. */
    @Test
    void aSweepAndADropDoNotWaitForEachOther() throws Exception {
        kernel.intercept((call, address, length) -> {
            if (call == Call.MUNLOCK && address == memory) {
                throw new OutOfMemoryError("test");
            }
            return call == Call.MUNLOCK ? Errno.EIO : Errno.OK;
        });
        for (int page = 2; page < 512; page += 2) {
            Hold stray = hold(page, 1);
            ranges.acquire(stray, Progress.UNWATCHED);
            ranges.reap(stray);
        }
        Hold leftOver = hold(0, 1);
        ranges.acquire(leftOver, Progress.UNWATCHED);
        ranges.reap(leftOver);
        AtomicBoolean stop = new AtomicBoolean();
        Future<?> sweeps = threads.submit(() -> {
            while (!stop.get()) {
                ranges.sweep();
            }
        });
        Future<?> drops = threads.submit(() -> {
            while (!stop.get()) {
                // Refused, so that the strays stay for the next try.
                assertThrows(
                        PageLockException.class,
                        () -> renewal.dropAll(
                                keep -> {
                                    throw PageLockException.because(Reason.BUSY).build();
                                },
                                null));
            }
        });
        Thread.sleep(1000);
        stop.set(true);
        sweeps.get(60, TimeUnit.SECONDS);
        drops.get(60, TimeUnit.SECONDS);
    }

    /** Whoever cancels in between finds no place in the queue to give up, and must not be missed. */
    @Test
    void aCancelBetweenTheFirstTryAndTheQueueIsNotLost() {
        Hold other = hold(0, 4);
        assertTrue(ranges.tryBegin(other, Progress.UNWATCHED));
        Hold late = hold(1, 2);
        AtomicInteger asked = new AtomicInteger();
        Progress cancelledMeanwhile = new Progress(() -> asked.getAndIncrement() > 0);
        assertEquals(
                Reason.CANCELLED,
                assertThrows(PageLockException.class, () -> ranges.acquire(late, cancelledMeanwhile))
                        .reason());
        assertEquals(2, asked.get());
        endsAndLeavesNoPlace(other);
    }

    @Test
    void aCancelBeforeAPendingLockQueuesIsNotLost() {
        Hold other = hold(0, 4);
        assertTrue(ranges.tryBegin(other, Progress.UNWATCHED));
        Hold late = hold(1, 2);
        for (int before = 0; before < 3; before++) {
            int last = before;
            AtomicInteger asked = new AtomicInteger();
            Progress progress = new Progress(() -> asked.getAndIncrement() >= last);
            ranges.cancelled(late);
            assertThrows(
                    PageLockException.class,
                    () -> ranges.beginOrWait(late, progress, () -> {
                        throw new AssertionError("called although it was cancelled");
                    }));
        }
        endsAndLeavesNoPlace(other);
    }

    private void endsAndLeavesNoPlace(Hold other) {
        ranges.carryOut(other);
        Hold next = hold(1, 2);
        assertTrue(ranges.tryBegin(next, Progress.UNWATCHED), "waits for a lock that was cancelled");
        ranges.carryOut(next);
        ranges.release(next);
        ranges.release(other);
        assertEquals(0, ranges.openHolds());
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
