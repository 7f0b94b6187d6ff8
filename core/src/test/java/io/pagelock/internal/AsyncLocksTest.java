// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.Limit;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.Backend;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AsyncLocksTest {
    private static final MemoryRange PAGE = MemoryRange.of(0x10000, 4096);

    private final Backend backend = mock(Backend.class);
    private final AsyncCall call = mock(AsyncCall.class);
    private final AtomicReference<Consumer<PageLockException>> done = new AtomicReference<>();
    private Engine engine;

    @BeforeEach
    void openWithNativeLocks() {
        when(backend.info()).thenReturn(new BackendInfo("test", "Test 1", "amd64", List.of()));
        when(backend.pageSize()).thenReturn(4096L);
        when(backend.addressBits()).thenReturn(64);
        when(backend.capabilities()).thenReturn(EnumSet.of(Capability.NATIVE_ASYNC));
        when(backend.limits())
                .thenReturn(new LockLimits(
                        List.of(new LockLimit(
                                "LIMIT",
                                LockLimit.Scope.PROCESS,
                                Limit.none(),
                                Limit.none(),
                                OptionalLong.empty(),
                                false)),
                        OptionalLong.empty(),
                        "RIGHT",
                        io.pagelock.Answer.YES));
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
        after.get(10, TimeUnit.SECONDS);
        assertNotSame(Thread.currentThread(), thread.get());
        pending.get().close();
        verify(backend, never()).lock(anyLong(), anyLong(), anyBoolean());
    }

    @Test
    void cancellingCancelsTheNativeCallAndWhatItLockedIsUnlocked() throws Exception {
        PendingLock pending = engine.lockAsync(PAGE);
        assertTrue(pending.cancel(false));
        verify(call).cancel();
        done.get().accept(null);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
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
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (engine.statistics().openHandles() + engine.statistics().strayBytes() > 0 && System.nanoTime() < end) {
            engine.lock(MemoryRange.of(0x20000, 4096)).close();
        }
        assertEquals(0, engine.statistics().openHandles());
        assertEquals(0, engine.statistics().strayBytes());
        verify(backend, times(2)).unlock(PAGE.address(), PAGE.length());
        assertEquals(0, engine.statistics().leakedHandles());
    }

    @Test
    void aRefusalEndsTheFutureWithRangeAndSystem() {
        PendingLock pending = engine.lockAsync(PAGE);
        done.get().accept(PageLockException.because(Reason.NOT_MAPPED).build());
        ExecutionException thrown = assertThrows(ExecutionException.class, () -> pending.get(10, TimeUnit.SECONDS));
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
        verify(backend, never()).lock(anyLong(), anyLong(), anyBoolean());
        assertEquals(0, engine.statistics().openHandles());
    }

    @Test
    void aCallbackThatThrowsLeavesTheHandleToTheCaller() throws Exception {
        PendingLock pending = engine.lockAsync(PAGE);
        var after = pending.thenAccept(lock -> {
            throw new IllegalStateException("callback");
        });
        done.get().accept(null);
        assertThrows(ExecutionException.class, () -> after.get(10, TimeUnit.SECONDS));
        assertEquals(1, engine.statistics().openHandles());
        pending.get().close();
        assertEquals(0, engine.statistics().openHandles());
    }
}
