// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Capability;
import io.pagelock.PageLockException;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Backend;
import java.util.Collections;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * Locks that do not hold up their caller: by the system where it can, otherwise by a few daemon threads. What the caller chained
 * to a lock runs in threads of its own, so that what makes progress never waits for the caller's code.
 */
final class AsyncLocks {
    /** A lock that makes no progress for so long may never end, as of a file on a server that does not answer. */
    private static final long STUCK_MILLIS = 1000;
    /** A callback that takes so long waits for something. */
    private static final long BLOCKED_MILLIS = 100;

    private final Engine engine;
    /** Null where the system cannot. */
    private final AsyncLocking system;

    private final Backend backend;
    private final RangeLocks ranges;
    private final Steps steps;
    /** Two, so that a few large locks do not hold up all small ones. */
    private final Crew small = new Crew("pagelock-async-", STUCK_MILLIS);

    private final Crew large = new Crew("pagelock-async-large-", STUCK_MILLIS);
    private final Crew callbacks = new Crew("pagelock-callback-", BLOCKED_MILLIS);

    AsyncLocks(Engine engine, Backend backend, RangeLocks ranges) {
        this.engine = engine;
        this.backend = backend;
        this.ranges = ranges;
        steps = new Steps(backend);
        system = backend.capabilities().contains(Capability.NATIVE_ASYNC)
                ? Abilities.of(backend, AsyncLocking.class)
                : null;
    }

    private Crew crew(Pending pending) {
        return Steps.isLarge(pending.totalBytes()) ? large : small;
    }

    /**
     * Starts a lock.
     *
     * @param executor what runs it; null for this library's own choice
     */
    PendingLock start(Handle handle, Executor executor) {
        return start(handle, executor, new Pending(handle.hold().bytes()));
    }

    /** Starts a lock that completes the given future. */
    PendingLock start(Handle handle, Executor executor, Pending pending) {
        Hold hold = handle.hold();
        engine.record(handle);
        try {
            if (executor != null) {
                pending.carriedOutBy(() -> ranges.cancelled(hold));
                executor.execute(new Waiting(handle, pending));
            } else if (!startNatively(handle, pending)) {
                crew(pending).execute(new Parking(handle, pending, pending.progress(), new Delivery(pending)));
            }
        } catch (Throwable e) {
            // Queued all the same or not: what is done never locks.
            pending.fail(e);
        }
        return pending;
    }

    /** Locks in one of our threads while this one waits, so that a virtual thread leaves its carrier to others. */
    Handle lockElsewhere(Handle handle, Progress progress) {
        Pending pending = new Pending(handle.hold().bytes());
        try {
            crew(pending).execute(new Parking(handle, pending, progress, new Delivery(pending) {
                @Override
                void hand(Object result) {
                    // No callback of the caller can run.
                    handHere(result);
                }
            }));
            return (Handle) pending.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException) {
                throw (RuntimeException) e.getCause();
            }
            if (e.getCause() instanceof Error) {
                throw (Error) e.getCause();
            }
            throw e;
        }
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
            // An executor may run it twice; the counts would not survive that.
            if (pending.isDone() || !begun.compareAndSet(false, true)) {
                return;
            }
            // The thread is the caller's, and so may be its callbacks.
            try {
                handle.checkOwners();
                complete(pending, engine.acquire(handle, pending.progress()));
            } catch (Throwable failure) {
                pending.fail(failure);
            }
        }
    }

    /** Work on a pending lock in one of our threads. */
    private abstract static class Step extends Crew.Work {
        final Pending pending;

        Step(Pending pending) {
            this.pending = pending;
        }

        @Override
        long progress() {
            return pending.lockedBytes();
        }

        @Override
        boolean isUnwanted() {
            return pending.isDone();
        }
    }

    /** A lock in one of our few threads, which must not wait for the turn of one lock while another could go on. */
    private final class Parking extends Step implements BooleanSupplier {
        private final Handle handle;
        private final Progress progress;
        private final Delivery delivery;
        /** Whether it has waited for its turn, and gives its place up when it is cancelled. */
        private volatile boolean waits;
        /** Work links the crew's queue, so it must not be queued twice: by its turn, and by a cancel. */
        private final AtomicBoolean isQueued = new AtomicBoolean(true);
        /** A cancel may have it run once more. */
        private volatile boolean isDelivered;

        Parking(Handle handle, Pending pending, Progress progress, Delivery delivery) {
            super(pending);
            this.progress = progress;
            this.handle = handle;
            this.delivery = delivery;
        }

        @Override
        public void run() {
            isQueued.set(false);
            if (isDelivered) {
                return;
            }
            Object outcome;
            try {
                if (!ranges.beginOrWait(handle.hold(), progress, this)) {
                    if (!waits) {
                        waits = true;
                        pending.carriedOutBy(() -> ranges.cancelled(handle.hold()));
                    }
                    return;
                }
                outcome = carryOut();
            } catch (Throwable failure) {
                outcome = failure;
            }
            isDelivered = true;
            delivery.hand(outcome);
        }

        private Handle carryOut() {
            try {
                handle.checkOwners();
            } catch (IllegalStateException closed) {
                engine.fail(handle, closed);
                throw closed;
            }
            return engine.carryOut(handle);
        }

        /** Goes on when it may have its turn. */
        @Override
        public boolean getAsBoolean() {
            if (!isQueued.compareAndSet(false, true)) {
                return true;
            }
            try {
                crew(pending).execute(this);
                return true;
            } catch (RuntimeException | OutOfMemoryError e) {
                isQueued.set(false);
                // Not completed with it, since callbacks must not run under the monitor.
                return false;
            }
        }
    }

    /** Completes a pending lock, in whose course the caller's callbacks run. Made before the lock: it must not need memory. */
    private class Delivery extends Crew.Work {
        private final Pending pending;
        private Object outcome;

        Delivery(Pending pending) {
            this.pending = pending;
        }

        void hand(Object result) {
            if (pending.isDone()) {
                // Nobody waits, so no callback runs.
                handHere(result);
                return;
            }
            outcome = result;
            try {
                callbacks.execute(this);
            } catch (OutOfMemoryError e) {
                // No thread to be had; late or never would be worse than here.
                run();
            }
        }

        void handHere(Object result) {
            outcome = result;
            run();
        }

        @Override
        public void run() {
            if (!(outcome instanceof Handle)) {
                pending.fail((Throwable) outcome);
                return;
            }
            try {
                complete(pending, (Handle) outcome);
            } catch (Throwable failure) {
                pending.fail(failure);
            }
        }
    }

    private void complete(Pending pending, Handle handle) {
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
    private final class NativeLock extends Step implements AsyncCall {
        private final Handle handle;
        private final Delivery delivery;
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
            super(pending);
            this.handle = handle;
            delivery = new Delivery(pending);
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
            } else {
                delivery.hand(known);
            }
        }

        private void next() {
            long start;
            long length;
            synchronized (this) {
                start = at;
                length = Steps.isLarge(handle.hold().bytes()) ? Math.min(Steps.piece(at, step), end - at) : end - at;
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
                engine.fail(handle, e);
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

        /** Goes on in one of our threads: the next call may block, which the backend's must not. */
        private void hand() {
            try {
                crew(pending).execute(this);
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
}
