// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.engine.PageLockers;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Locks of virtual threads, which a system call would hold with their carrier. */
@EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "no virtual threads")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VirtualThreadsTest {
    private static final long BIG = 16L << 20;

    private final FakeKernel kernel = new FakeKernel(Systems.of("linux").withPageSize(4096));
    private final CountDownLatch arrived = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicInteger callsHoldingACarrier = new AtomicInteger();
    private final PageLocker locker = PageLockers.over(new ForwardingBackend(new FakeBackend(kernel)) {
        @Override
        public void lock(long address, long length, Set<LockOption> options) {
            calls.incrementAndGet();
            if (isVirtual()) {
                callsHoldingACarrier.incrementAndGet();
            }
            arrived.countDown();
            try {
                assertTrue(goOn.await(120, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            super.lock(address, length, options);
        }
    });

    @AfterEach
    void release() {
        goOn.countDown();
    }

    private static boolean isVirtual() {
        try {
            return (boolean) Thread.class.getMethod("isVirtual").invoke(Thread.currentThread());
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static Thread start(Runnable work) {
        try {
            return (Thread)
                    Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private MemoryRange big() {
        return MemoryRange.of(kernel.map(BIG / 4096, FakeKernel.Kind.ANONYMOUS), BIG);
    }

    /** More locks than there are carriers are under way or wait, and other virtual threads go on all the while. */
    @Test
    void othersGoOnWhileLargeLocksAreUnderWay() throws Exception {
        List<Thread> locking = new ArrayList<>();
        for (int i = 0; i < 4 * Runtime.getRuntime().availableProcessors(); i++) {
            MemoryRange range = big();
            locking.add(start(() -> locker.lock(range).close()));
        }
        assertTrue(arrived.await(120, TimeUnit.SECONDS));
        AtomicInteger steps = new AtomicInteger();
        Thread other = start(() -> {
            for (int i = 0; i < 100; i++) {
                steps.incrementAndGet();
                Thread.yield();
            }
        });
        other.join();
        assertEquals(100, steps.get());
        assertTrue(locking.stream().allMatch(Thread::isAlive), "a lock ended that the system had not carried out");
        goOn.countDown();
        for (Thread each : locking) {
            each.join();
        }
        assertTrue(calls.get() >= locking.size());
        assertEquals(0, callsHoldingACarrier.get());
        assertEquals(0, locker.statistics().openHandles());
    }

    @Test
    void aSmallLockIsCarriedOutInItsOwnThread() throws Exception {
        goOn.countDown();
        MemoryRange small = MemoryRange.of(kernel.map(1, FakeKernel.Kind.ANONYMOUS), 4096);
        start(() -> locker.lock(small).close()).join();
        assertEquals(1, callsHoldingACarrier.get());
    }

    @Test
    void aCancelledLockOfAVirtualThreadEndsItsWaitForATurn() throws Exception {
        MemoryRange range = big();
        Thread first = start(() -> locker.lock(range).close());
        assertTrue(arrived.await(120, TimeUnit.SECONDS));
        Thread[] waiting = new Thread[1];
        PendingLock second = locker.lockAsync(range, work -> waiting[0] = start(work));
        assertTrue(second.toCompletableFuture().cancel(false));
        waiting[0].join();
        assertTrue(first.isAlive(), "the lock before it is still under way");
        goOn.countDown();
        first.join();
        assertEquals(0, locker.statistics().openHandles());
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aCancelledLockOfAVirtualThreadIsTakenBackWhenTheSystemReturns() throws Exception {
        Thread[] thread = new Thread[1];
        PendingLock pending = locker.lockAsync(big(), work -> thread[0] = start(work));
        assertTrue(arrived.await(120, TimeUnit.SECONDS));
        assertTrue(pending.toCompletableFuture().cancel(false));
        goOn.countDown();
        thread[0].join();
        assertTrue(pending.toCompletableFuture().isCancelled());
        assertEquals(0, locker.statistics().openHandles());
        assertEquals(0, kernel.lockedBytes());
        try (PageLock again = locker.lock(big())) {
            assertFalse(again.ranges().isEmpty());
        }
    }
}
