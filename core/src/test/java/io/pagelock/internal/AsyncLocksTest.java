// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.anySet;
import static org.mockito.ArgumentMatchers.eq;
import static org.mockito.ArgumentMatchers.longThat;
import static org.mockito.Mockito.clearInvocations;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Backend;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AsyncLocksTest {
    private static final MemoryRange PAGE = MemoryRange.of(0x10000, 4096);

    private interface NativeBackend extends Backend, AsyncLocking {}

    private final NativeBackend backend = mock(NativeBackend.class);
    private final AsyncCall call = mock(AsyncCall.class);
    private final AtomicReference<Consumer<PageLockException>> done = new AtomicReference<>();
    private Engine engine;

    @BeforeEach
    void openWithNativeLocks() {
        when(backend.info()).thenReturn(new BackendInfo("test", "Test 1", "amd64", List.of()));
        when(backend.ability(any())).thenCallRealMethod();
        when(backend.pageSize()).thenReturn(4096L);
        when(backend.addressBits()).thenReturn(64);
        when(backend.capabilities()).thenReturn(EnumSet.of(Capability.NATIVE_ASYNC));
        when(backend.limits())
                .thenReturn(LockLimits.builder()
                        .limit(LockLimit.builder("LIMIT", LockLimit.Scope.PROCESS)
                                .soft(LimitValue.none())
                                .build())
                        .permitted(Tristate.YES)
                        .build());
        when(backend.lockAsync(anyLong(), anyLong(), any())).thenAnswer(invocation -> {
            done.set(invocation.getArgument(2));
            return call;
        });
        engine = new Engine(backend);
    }

    /** A callback that waits for another lock must not hold up the thread that reports its end. */
    @Test
    void callbacksDoNotRunInTheThreadThatReportsTheEnd() throws Exception {
        PendingLock pending = engine.lockAsync(PAGE);
        AtomicReference<Thread> thread = new AtomicReference<>();
        var after = pending.thenAccept(lock -> thread.set(Thread.currentThread()));
        done.get().accept(null);
        after.toCompletableFuture().get(60, TimeUnit.SECONDS);
        assertNotSame(Thread.currentThread(), thread.get());
        pending.get().close();
        verify(backend, never()).lock(anyLong(), anyLong(), anySet());
    }

    @Test
    void cancellingCancelsTheNativeCallAndWhatItLockedIsUnlocked() throws Exception {
        PendingLock pending = engine.lockAsync(PAGE);
        assertTrue(pending.cancel(false));
        verify(call).cancel();
        done.get().accept(null);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (engine.statistics().openHandles() > 0 && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertEquals(0, engine.statistics().openHandles());
        verify(backend).unlock(PAGE.address(), PAGE.length());
    }

    @Test
    void L18_whatNobodyWantsAndTheSystemWillNotUnlockIsTriedAgain() {
        doThrow(PageLockException.because(Reason.BUSY).build())
                .doNothing()
                .when(backend)
                .unlock(PAGE.address(), PAGE.length());
        PendingLock pending = engine.lockAsync(PAGE);
        assertTrue(pending.cancel(false));
        done.get().accept(null);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (engine.statistics().openHandles() + engine.statistics().leftoverBytes() > 0 && System.nanoTime() < end) {
            engine.lock(MemoryRange.of(0x20000, 4096)).close();
        }
        assertEquals(0, engine.statistics().openHandles());
        assertEquals(0, engine.statistics().leftoverBytes());
        verify(backend, times(2)).unlock(PAGE.address(), PAGE.length());
        assertEquals(0, engine.statistics().leakedHandles());
    }

    @Test
    void aRefusalEndsTheFutureWithRangeAndSystem() {
        PendingLock pending = engine.lockAsync(PAGE);
        done.get().accept(PageLockException.because(Reason.NOT_MAPPED).build());
        ExecutionException thrown = assertThrows(ExecutionException.class, () -> pending.get(60, TimeUnit.SECONDS));
        PageLockException refusal = assertInstanceOf(PageLockException.class, thrown.getCause());
        assertEquals(PAGE, refusal.range().orElseThrow());
        assertEquals("Test 1", refusal.system().orElseThrow());
        assertEquals(0, engine.statistics().openHandles());
    }

    @Test
    void anExecutorThatRejectsFailsTheFutureAndLocksNothing() {
        PendingLock pending = engine.lockAsync(List.of(PAGE), task -> {
            throw new RejectedExecutionException("full");
        });
        assertInstanceOf(
                RejectedExecutionException.class,
                assertThrows(ExecutionException.class, pending::get).getCause());
        verify(backend, never()).lock(anyLong(), anyLong(), anySet());
        assertEquals(0, engine.statistics().openHandles());
    }

    @Test
    void aCallbackThatThrowsLeavesTheHandleToTheCaller() throws Exception {
        PendingLock pending = engine.lockAsync(PAGE);
        var after = pending.thenAccept(lock -> {
            throw new IllegalStateException("callback");
        });
        done.get().accept(null);
        assertThrows(ExecutionException.class, () -> after.toCompletableFuture().get(60, TimeUnit.SECONDS));
        assertEquals(1, engine.statistics().openHandles());
        pending.get().close();
        assertEquals(0, engine.statistics().openHandles());
    }

    private void openWithoutNativeLocks() {
        when(backend.capabilities()).thenReturn(EnumSet.noneOf(Capability.class));
        engine = new Engine(backend);
    }

    @Test
    void L15_aSmallLockDoesNotWaitForLargeOnes() throws Exception {
        openWithoutNativeLocks();
        CountDownLatch go = new CountDownLatch(1);
        doAnswer(invocation -> {
                    assertTrue(go.await(60, TimeUnit.SECONDS));
                    return null;
                })
                .when(backend)
                .lock(longThat(address -> address >= 1L << 30), anyLong(), anySet());
        List<PendingLock> large = new ArrayList<>();
        for (long i = 1; i <= 8; i++) {
            large.add(engine.lockAsync(MemoryRange.of(i << 30, 16 << 20)));
        }
        try {
            engine.lockAsync(PAGE).get(60, TimeUnit.SECONDS).close();
            assertFalse(large.stream().anyMatch(PendingLock::isDone));
        } finally {
            go.countDown();
        }
        for (PendingLock each : large) {
            each.get(60, TimeUnit.SECONDS).close();
        }
    }

    @Test
    void anExecutorThatRunsALockTwiceLocksOnce() throws Exception {
        openWithoutNativeLocks();
        CountDownLatch locking = new CountDownLatch(1);
        CountDownLatch twice = new CountDownLatch(1);
        doAnswer(invocation -> {
                    locking.countDown();
                    assertTrue(twice.await(60, TimeUnit.SECONDS));
                    return null;
                })
                .when(backend)
                .lock(anyLong(), anyLong(), anySet());
        PendingLock pending = engine.lockAsync(List.of(PAGE), task -> {
            new Thread(task).start();
            try {
                assertTrue(locking.await(60, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            task.run();
            twice.countDown();
        });
        pending.get(60, TimeUnit.SECONDS).close();
        verify(backend, times(1)).lock(anyLong(), anyLong(), anySet());
        verify(backend, times(1)).unlock(anyLong(), anyLong());
        assertEquals(0, engine.statistics().openHandles());
    }

    @Test
    void anExecutorThatThrowsAnErrorFailsTheFutureEvenIfItKeptTheTask() {
        openWithoutNativeLocks();
        AtomicReference<Runnable> kept = new AtomicReference<>();
        PendingLock pending = engine.lockAsync(List.of(PAGE), task -> {
            kept.set(task);
            throw new AssertionError("after queueing");
        });
        assertInstanceOf(
                AssertionError.class,
                assertThrows(ExecutionException.class, pending::get).getCause());
        kept.get().run();
        verify(backend, never()).lock(anyLong(), anyLong(), anySet());
        assertEquals(0, engine.statistics().openHandles());
    }

    @Test
    void aFailureIsToldAsSoonAsThereIsMemoryToTell() {
        AtomicInteger without = new AtomicInteger(3);
        Pending pending = new Pending(4096) {
            @Override
            public boolean completeExceptionally(Throwable failure) {
                if (without.getAndDecrement() > 0) {
                    throw new OutOfMemoryError("no memory");
                }
                return super.completeExceptionally(failure);
            }
        };
        pending.fail(new IllegalStateException("refused"));
        assertInstanceOf(
                IllegalStateException.class,
                assertThrows(ExecutionException.class, pending::get).getCause());
    }

    @Test
    void aLockThatWaitsForItsTurnGoesOnWhenThatLockEndsAndNotBefore() throws Exception {
        openWithoutNativeLocks();
        CountDownLatch locking = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        doAnswer(invocation -> {
                    locking.countDown();
                    assertTrue(go.await(60, TimeUnit.SECONDS));
                    return null;
                })
                .doNothing()
                .when(backend)
                .lock(eq(PAGE.address()), anyLong(), anySet());
        PendingLock first = engine.lockAsync(PAGE);
        assertTrue(locking.await(60, TimeUnit.SECONDS));
        List<PendingLock> parked = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            parked.add(engine.lockAsync(PAGE));
        }
        for (int i = 0; i < 50; i++) {
            engine.lock(MemoryRange.of(0x90000, 4096)).close();
        }
        assertFalse(parked.stream().anyMatch(PendingLock::isDone));
        go.countDown();
        first.get(60, TimeUnit.SECONDS).close();
        for (PendingLock each : parked) {
            each.get(60, TimeUnit.SECONDS).close();
        }
        assertEquals(0, engine.statistics().openHandles());
    }

    @Test
    void locksRunInNamedDaemonThreads() throws Exception {
        openWithoutNativeLocks();
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        doAnswer(invocation -> threads.add(Thread.currentThread()))
                .when(backend)
                .lock(anyLong(), anyLong(), anySet());
        List<PendingLock> all = new ArrayList<>();
        for (long i = 1; i <= 100; i++) {
            all.add(engine.lockAsync(MemoryRange.of(i << 20, 4096)));
        }
        for (PendingLock each : all) {
            each.get(60, TimeUnit.SECONDS).close();
        }
        for (Thread each : threads) {
            assertTrue(each.isDaemon() && each.getName().startsWith("pagelock-async-"), each::toString);
        }
    }

    @Test
    void theBuffersOfAHandleStayReachableUntilItIsClosed() throws Exception {
        openWithoutNativeLocks();
        when(backend.address(any())).thenReturn(PAGE.address());
        List<WeakReference<ByteBuffer>> buffers = new ArrayList<>();
        List<PageLock> locks = new ArrayList<>();
        locks.add(engine.lock(buffer(buffers)));
        locks.add(engine.lock(List.of(engine.rangeOf(buffer(buffers)), engine.rangeOf(buffer(buffers)))));
        locks.add(engine.lockAsync(buffer(buffers)).get(60, TimeUnit.SECONDS));
        // Mockito remembers what it was called with, and who used a stub last.
        assertEquals(PAGE.address(), backend.address(null));
        clearInvocations(backend);
        for (int i = 0; i < 5; i++) {
            System.gc();
        }
        assertTrue(buffers.stream().noneMatch(each -> each.get() == null));
        locks.forEach(PageLock::close);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (buffers.stream().anyMatch(each -> each.get() != null) && System.nanoTime() < end) {
            System.gc();
        }
        assertTrue(buffers.stream().allMatch(each -> each.get() == null));
    }

    @Test
    void L15_locksThatNeverEndStopNoOtherAfterASecondOrWhenCancelled() throws Exception {
        openWithoutNativeLocks();
        CountDownLatch go = new CountDownLatch(1);
        doAnswer(invocation -> {
                    assertTrue(go.await(60, TimeUnit.SECONDS));
                    return null;
                })
                .when(backend)
                .lock(longThat(address -> address >= 1L << 30), anyLong(), anySet());
        List<PendingLock> hanging = new ArrayList<>();
        for (long i = 1; i <= 8; i++) {
            hanging.add(engine.lockAsync(MemoryRange.of(i << 30, 4096)));
        }
        try {
            hanging.get(0).cancel(false);
            engine.lockAsync(PAGE).get(60, TimeUnit.SECONDS).close();
        } finally {
            go.countDown();
        }
    }

    @Test
    void callbacksThatBlockStopNoOtherLockAndMayWaitForOne() throws Exception {
        List<CompletableFuture<Void>> callbacks = new ArrayList<>();
        for (long i = 1; i <= 8; i++) {
            MemoryRange range = MemoryRange.of(i << 30, 4096);
            MemoryRange next = MemoryRange.of((i << 30) + 8192, 4096);
            PendingLock pending;
            Consumer<PageLockException> ended;
            synchronized (callbacks) {
                pending = engine.lockAsync(range);
                ended = done.get();
            }
            callbacks.add(pending.toCompletableFuture().thenAccept(lock -> {
                PendingLock other;
                Consumer<PageLockException> endOfOther;
                synchronized (callbacks) {
                    other = engine.lockAsync(next);
                    endOfOther = done.get();
                }
                new Thread(() -> endOfOther.accept(null)).start();
                other.toCompletableFuture().join().close();
                lock.close();
            }));
            ended.accept(null);
        }
        for (CompletableFuture<Void> each : callbacks) {
            each.get(60, TimeUnit.SECONDS);
        }
        assertEquals(0, engine.statistics().openHandles());
    }

    private static ByteBuffer buffer(List<WeakReference<ByteBuffer>> known) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(64);
        known.add(new WeakReference<>(buffer));
        return buffer;
    }
}
