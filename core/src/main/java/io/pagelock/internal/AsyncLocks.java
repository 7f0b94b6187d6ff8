// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Capability;
import io.pagelock.PageLockException;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
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
    private final Steps steps;
    private final boolean isNative;
    private final ThreadPoolExecutor threads;

    AsyncLocks(Engine engine, Backend backend, RangeLocks ranges) {
        this.engine = engine;
        this.backend = backend;
        this.ranges = ranges;
        steps = new Steps(backend);
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
                queue(() -> runOrPark(handle, pending));
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
        // Made first: without memory for it, nothing has begun.
        Supplier<Handle> carryOut = () -> engine.carryOut(handle);
        try {
            if (!ranges.beginOrPark(handle.hold(), () -> resume(handle, pending))) {
                return;
            }
        } catch (Throwable failure) {
            pending.completeExceptionally(failure);
            return;
        }
        finish(pending, carryOut);
    }

    private boolean resume(Handle handle, Pending pending) {
        try {
            queue(() -> runOrPark(handle, pending));
            return true;
        } catch (RuntimeException | OutOfMemoryError e) {
            // Not completed with it, since callbacks must not run under the monitor.
            return false;
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
        NativeLock lock = new NativeLock(handle, pending);
        lock.next();
        pending.carriedOutBy(lock);
        return true;
    }

    /**
     * A lock that the system carries out by itself, one step after the other: what a call has begun cannot be cancelled, and
     * holds up other threads as long as a call of their own would.
     */
    private final class NativeLock implements AsyncCall {
        private final Handle handle;
        private final Pending pending;
        private final Object event = engine.beginEvent();
        private final long begin = System.nanoTime();
        private final long end;

        // Guarded by this. All but the cancelling happens in one thread after the other.
        private long at;
        private long step = steps.first();
        private AsyncCall call;

        private NativeLock(Handle handle, Pending pending) {
            this.handle = handle;
            this.pending = pending;
            at = handle.hold().start(0);
            end = handle.hold().end(0);
        }

        /** Hands the next step to the system. */
        private void next() {
            long start;
            long length;
            synchronized (this) {
                start = at;
                length = Math.min(Steps.piece(at, step), end - at);
            }
            long since = System.nanoTime();
            AsyncCall begun;
            try {
                if (pending.isDone()) {
                    throw PageLockException.because(Reason.CANCELLED)
                            .detail("cancelled after " + pending.lockedBytes() + " bytes")
                            .build();
                }
                begun = backend.lockAsync(start, length, refusal -> ended(start, length, since, refusal));
            } catch (PageLockException refusal) {
                end(handle, pending, refusal, begin, event);
                return;
            } catch (RuntimeException | Error e) {
                ranges.fail(handle.hold(), e);
                pending.completeExceptionally(e);
                return;
            }
            synchronized (this) {
                if (at == start) {
                    call = begun;
                }
            }
            if (pending.isDone()) {
                begun.cancel();
            }
        }

        /** Called by the backend. */
        private void ended(long start, long length, long since, PageLockException refusal) {
            if (refusal == null) {
                pending.progress().add(length);
                synchronized (this) {
                    at = start + length;
                    call = null;
                    step = steps.next(step, length, System.nanoTime() - since);
                }
            }
            if (refusal != null || start + length == end) {
                end(handle, pending, refusal, begin, event);
                return;
            }
            hand(this::next);
        }

        @Override
        public void cancel() {
            AsyncCall current;
            synchronized (this) {
                current = call;
            }
            if (current != null) {
                current.cancel();
            }
        }
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
        hand(delivery);
    }

    /** Gives work to one of our threads; those there are will do if there can be no more, as under a locked future. */
    private void queue(Runnable work) {
        try {
            threads.execute(work);
        } catch (OutOfMemoryError e) {
            // Queued or not: the pool throws in both cases.
            threads.remove(work);
            if (threads.getPoolSize() == 0 || !threads.getQueue().offer(work)) {
                throw e;
            }
            if (threads.getPoolSize() == 0 && threads.remove(work)) {
                throw e;
            }
        }
    }

    /** Leaves work to one of our threads, out of the backend's. */
    private void hand(Runnable work) {
        try {
            queue(work);
        } catch (OutOfMemoryError e) {
            // No thread to be had; late or never would be worse than here.
            work.run();
        }
    }
}
