// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Capability;
import io.pagelock.PageLockException;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.DaemonThread;
import java.util.Collections;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Locks that do not hold up their caller: by the system where it can, otherwise by a few daemon threads. */
final class AsyncLocks {
    private static final long IDLE_SECONDS = 10;

    private final Engine engine;
    /** Null where the system cannot. */
    private final AsyncLocking system;

    private final Backend backend;
    private final RangeLocks ranges;
    private final Steps steps;
    /** Two pools, so that a few large locks do not hold up all small ones. */
    private final ThreadPoolExecutor small = pool("pagelock-async-");

    private final ThreadPoolExecutor large = pool("pagelock-async-large-");

    AsyncLocks(Engine engine, Backend backend, RangeLocks ranges) {
        this.engine = engine;
        this.backend = backend;
        this.ranges = ranges;
        steps = new Steps(backend);
        system = backend.capabilities().contains(Capability.NATIVE_ASYNC)
                ? Abilities.of(backend, AsyncLocking.class)
                : null;
    }

    private static ThreadPoolExecutor pool(String name) {
        int most = Math.max(2, Math.min(4, Runtime.getRuntime().availableProcessors()));
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                most,
                most,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                task -> DaemonThread.of(name + number.incrementAndGet(), task));
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    private ThreadPoolExecutor threads(Pending pending) {
        return Steps.isLarge(pending.totalBytes()) ? large : small;
    }

    /**
     * Starts a lock.
     *
     * @param executor what runs it; null for this library's own choice
     */
    PendingLock start(Handle handle, Executor executor) {
        Hold hold = handle.hold();
        Pending pending = new Pending(hold.bytes());
        try {
            if (executor != null) {
                executor.execute(new Waiting(handle, pending));
            } else if (!startNatively(handle, pending)) {
                queue(threads(pending), new Parking(handle, pending));
            }
        } catch (Throwable e) {
            // Queued all the same or not: what is done never locks.
            pending.completeExceptionally(e);
        }
        return pending;
    }

    /** A lock in a thread of the caller's executor, which may wait for its turn. */
    private final class Waiting implements Runnable {
        private final Handle handle;
        private final Pending pending;
        private final AtomicBoolean begun = new AtomicBoolean();

        Waiting(Handle handle, Pending pending) {
            this.handle = handle;
            this.pending = pending;
        }

        @Override
        public void run() {
            // An executor may run it twice; the books would not survive that.
            if (pending.isDone() || !begun.compareAndSet(false, true)) {
                return;
            }
            try {
                deliver(engine.acquire(handle, pending.progress()), pending);
            } catch (Throwable failure) {
                pending.fail(failure);
            }
        }
    }

    /** A lock in one of our few threads, which must not wait for the turn of one lock while another could go on. */
    private final class Parking implements Runnable, BooleanSupplier {
        private final Handle handle;
        private final Pending pending;

        Parking(Handle handle, Pending pending) {
            this.handle = handle;
            this.pending = pending;
        }

        @Override
        public void run() {
            if (pending.isDone()) {
                return;
            }
            try {
                if (ranges.beginOrWait(handle.hold(), pending.progress(), this)) {
                    deliver(engine.carryOut(handle), pending);
                }
            } catch (Throwable failure) {
                pending.fail(failure);
            }
        }

        /** Goes on when it may have its turn. */
        @Override
        public boolean getAsBoolean() {
            try {
                queue(threads(pending), this);
                return true;
            } catch (RuntimeException | OutOfMemoryError e) {
                // Not completed with it, since callbacks must not run under the monitor.
                return false;
            }
        }
    }

    private void deliver(Handle handle, Pending pending) {
        if (!pending.handOver(handle)) {
            engine.giveBack(handle);
        }
    }

    private boolean startNatively(Handle handle, Pending pending) {
        Hold hold = handle.hold();
        if (system == null || hold.onFault || hold.count() != 1) {
            return false;
        }
        // Made first: without memory for it, nothing has begun.
        NativeLock lock = new NativeLock(handle, pending);
        if (!ranges.tryBegin(hold, pending.progress())) {
            return false;
        }
        lock.run();
        pending.carriedOutBy(lock);
        return true;
    }

    /**
     * A lock that the system carries out by itself, one step after the other: what a call has begun cannot be cancelled, and
     * holds up other threads as long as a call of their own would.
     */
    private final class NativeLock implements AsyncCall, Runnable {
        private final Handle handle;
        private final Pending pending;
        private final Object event = engine.beginEvent();
        private final long begin = System.nanoTime();
        private final long end;

        // Guarded by this. All but the cancelling happens in one thread after the other.
        private long at;
        private long step = steps.first();
        private AsyncCall call;
        /** Whether the system cannot do it by itself, so that one of our threads does. */
        private boolean isByThread;
        /** What came of it; null while steps are left. */
        private Object outcome;

        private NativeLock(Handle handle, Pending pending) {
            this.handle = handle;
            this.pending = pending;
            at = handle.hold().start(0);
            end = handle.hold().end(0);
        }

        /** Hands the next step to the system, or the outcome to the caller. */
        @Override
        public void run() {
            Object known;
            synchronized (this) {
                known = outcome;
            }
            if (known == null) {
                next();
            } else if (known instanceof Handle) {
                try {
                    deliver((Handle) known, pending);
                } catch (Throwable failure) {
                    pending.fail(failure);
                }
            } else {
                pending.fail((Throwable) known);
            }
        }

        private void next() {
            long start;
            long length;
            synchronized (this) {
                start = at;
                length = Math.min(Steps.piece(at, step), end - at);
            }
            long since = System.nanoTime();
            AsyncCall begun = null;
            try {
                if (pending.isDone()) {
                    throw PageLockException.because(Reason.CANCELLED)
                            .detail("cancelled after " + pending.lockedBytes() + " bytes")
                            .build();
                }
                if (isByThread()) {
                    backend.lock(start, length, Collections.emptySet());
                } else {
                    begun = system.lockAsync(start, length, refusal -> ended(start, length, since, refusal));
                }
            } catch (PageLockException refusal) {
                refused(refusal);
                return;
            } catch (RuntimeException | Error e) {
                ranges.fail(handle.hold(), e);
                hand(e);
                return;
            }
            if (begun == null) {
                ended(start, length, since, null);
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
            if (refusal != null) {
                refused(refusal);
            } else if (start + length == end) {
                end(null);
            } else {
                hand();
            }
        }

        /** Goes on in a thread of ours where the system cannot do it by itself; other refusals are the end. */
        private void refused(PageLockException refusal) {
            if (refusal.reason() != Reason.NOT_SUPPORTED || isByThread()) {
                end(refusal);
                return;
            }
            synchronized (this) {
                isByThread = true;
                call = null;
            }
            hand();
        }

        private synchronized boolean isByThread() {
            return isByThread;
        }

        private void end(PageLockException refusal) {
            Object result;
            try {
                result = engine.conclude(handle, refusal, begin, event);
            } catch (Throwable failure) {
                result = failure;
            }
            hand(result);
        }

        private void hand(Object result) {
            synchronized (this) {
                outcome = result;
            }
            hand();
        }

        /** Goes on in one of our threads: callbacks of the caller may block the backend's. */
        private void hand() {
            try {
                queue(threads(pending), this);
            } catch (OutOfMemoryError e) {
                // No thread to be had; late or never would be worse than here.
                run();
            }
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

    /** Gives work to one of our threads; those there are will do if there can be no more, as under a locked future. */
    private static void queue(ThreadPoolExecutor threads, Runnable work) {
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
}
