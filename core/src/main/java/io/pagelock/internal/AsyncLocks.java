// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Capability;
import io.pagelock.PageLockException;
import io.pagelock.PendingLock;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.Backend;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Locks that do not hold up their caller: by the system where it can, otherwise by a few daemon threads. */
final class AsyncLocks {
    private static final long IDLE_SECONDS = 10;

    private final Engine engine;
    private final Backend backend;
    private final RangeLocks ranges;
    private final boolean isNative;
    private final ThreadPoolExecutor threads;

    AsyncLocks(Engine engine, Backend backend, RangeLocks ranges) {
        this.engine = engine;
        this.backend = backend;
        this.ranges = ranges;
        isNative = backend.capabilities().contains(Capability.NATIVE_ASYNC);
        int most = Math.max(2, Math.min(4, Runtime.getRuntime().availableProcessors()));
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(
                most, most, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "pagelock-async-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    thread.setContextClassLoader(null);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /**
     * Starts a lock.
     *
     * @param executor what runs it; null for this library's own choice
     */
    PendingLock start(Handle handle, Executor executor) {
        Hold hold = handle.hold();
        Pending pending = new Pending(hold.bytes());
        hold.progress = pending.progress();
        try {
            if (executor != null) {
                executor.execute(() -> run(handle, pending));
            } else if (!startNatively(handle, pending)) {
                threads.execute(() -> runOrPark(handle, pending));
            }
        } catch (RuntimeException | OutOfMemoryError e) {
            pending.completeExceptionally(e);
        }
        return pending;
    }

    /** In a thread of the caller's executor, which may wait for its turn. */
    private void run(Handle handle, Pending pending) {
        if (!pending.isDone()) {
            finish(pending, () -> engine.acquire(handle));
        }
    }

    /** In one of our few threads, which must not wait for the turn of one lock while another could go on. */
    private void runOrPark(Handle handle, Pending pending) {
        if (pending.isDone()) {
            return;
        }
        try {
            if (!ranges.beginOrPark(handle.hold(), () -> resume(handle, pending))) {
                return;
            }
        } catch (Throwable failure) {
            pending.completeExceptionally(failure);
            return;
        }
        finish(pending, () -> engine.carryOut(handle));
    }

    private void resume(Handle handle, Pending pending) {
        try {
            threads.execute(() -> runOrPark(handle, pending));
        } catch (RuntimeException | OutOfMemoryError e) {
            pending.completeExceptionally(e);
        }
    }

    private void finish(Pending pending, Supplier<Handle> lock) {
        try {
            Handle handle = lock.get();
            if (!pending.handOver(handle)) {
                engine.giveBack(handle);
            }
        } catch (Throwable failure) {
            pending.completeExceptionally(failure);
        }
    }

    private boolean startNatively(Handle handle, Pending pending) {
        Hold hold = handle.hold();
        if (!isNative || hold.onFault || hold.count() != 1 || !ranges.tryBegin(hold)) {
            return false;
        }
        Object event = engine.beginEvent();
        long begin = System.nanoTime();
        AsyncCall call;
        try {
            call = backend.lockAsync(
                    hold.start(0), hold.end(0) - hold.start(0), refusal -> end(handle, pending, refusal, begin, event));
        } catch (PageLockException refusal) {
            end(handle, pending, refusal, begin, event);
            return true;
        } catch (RuntimeException | Error e) {
            ranges.fail(hold, e);
            throw e;
        }
        pending.carriedOutBy(call);
        return true;
    }

    /** Called by the backend; callbacks of the caller may block and so run elsewhere than in its thread. */
    private void end(Handle handle, Pending pending, PageLockException refusal, long begin, Object event) {
        Runnable delivery;
        try {
            Handle locked = engine.conclude(handle, refusal, begin, event);
            delivery = () -> finish(pending, () -> locked);
        } catch (Throwable failure) {
            delivery = () -> pending.completeExceptionally(failure);
        }
        try {
            threads.execute(delivery);
        } catch (OutOfMemoryError e) {
            // No thread to be had; late or never would be worse than here.
            delivery.run();
        }
    }
}
