// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Capability;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
import io.pagelock.spi.DaemonThread;
import io.pagelock.spi.FileReading;
import io.pagelock.spi.LimitChecking;
import io.pagelock.spi.LockingAgain;
import io.pagelock.spi.PagingIn;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Locks and unlocks a large range in steps. One call for the whole range would hold the process's memory map for as long as it
 * pages in, and stop every thread that maps memory meanwhile.
 *
 * <p>Where the system can lock on fault, the whole range is first locked that way, which pages nothing in and finds holes
 * and limits at once; then each step is locked fully. As soon as a step shows that pages must really be brought in, the rest
 * is first brought in side by side.
 */
class Steps {
    /** Up to this size one call is quick enough. It is also the first step. */
    private static final long ONE_CALL = 4L << 20;
    /** Unlocking is quicker by far: this much takes about as long as a step. */
    private static final long UNLOCK_AT_ONCE = 64L << 20;
    /** From this size on it pays to start threads. */
    private static final long SIDE_BY_SIDE = 64L << 20;

    /** A bound, because the next pages may be slower than those that were measured: not in memory, but on a disk. */
    private static final long LARGEST_STEP = 128L << 20;
    /**
     * From so many bytes a nanosecond on there is no such bound: the system does not even look at pages then, as in a range
     * of device memory.
     */
    private static final long UNTOUCHED = 10_000;
    /** The bound on how much larger than the last a step may be. */
    private static final long MOST_GROWTH = 4;

    private static final long LARGEST_POWER = 1L << 62;
    /** How long a step should take: other threads wait about that long for the memory map. */
    private static final long STEP_NANOS = 4_000_000;

    /** What took no longer has kept nobody waiting. */
    private static final long BRIEF_NANOS = 50_000;

    /** After so long what was read in is locked, so that progress shows on slow storage, too. */
    private static final long READ_NANOS = 100_000_000;

    /** After so much it shows whether pages must really be brought in; before, the first calls' own cost would mislead. */
    private static final long TRIAL = 8L << 20;
    /**
     * From so many bytes a nanosecond on, more threads are no use: what is in memory already goes faster, and what must be
     * zeroed, copied or read goes slower.
     */
    private static final long QUICK = 8;

    private static final int MOST_THREADS = 4;

    private final Backend backend;
    private final boolean locksOnFault;
    /** Null where it is no use. */
    private final PagingIn paging;

    private final Forecasts forecasts;
    /** Null if the system cannot tell limits ahead, or need not. */
    private final LimitChecking limits;
    /** Null if locking reads files well enough by itself. */
    private final FileReading files;
    /** Null where it saves nothing. */
    private final LockingAgain again;

    private final long firstStep;
    private final long smallestStep;

    Steps(Backend backend) {
        this.backend = backend;
        locksOnFault = backend.capabilities().contains(Capability.LOCK_ON_FAULT);
        paging = locksOnFault && backend.capabilities().contains(Capability.PAGE_IN)
                ? Abilities.of(backend, PagingIn.class)
                : null;
        forecasts = new Forecasts(backend);
        limits = Abilities.of(backend, LimitChecking.class);
        files = Abilities.of(backend, FileReading.class);
        again = Abilities.of(backend, LockingAgain.class);
        firstStep = Math.max(ONE_CALL, backend.pageSize());
        smallestStep = Math.max(256L << 10, backend.pageSize());
    }

    /** The size of the first step, in bytes. */
    long first() {
        return firstStep;
    }

    /** The clock; tests have their own. */
    long now() {
        return System.nanoTime();
    }

    /** Whether a range is locked in steps. */
    static boolean isLarge(long length) {
        return length > ONE_CALL;
    }

    /**
     * Locks a range fully.
     *
     * @param alone whether nobody else holds pages of the range, so that it may be locked on fault for a while; looked at
     *     only if it is large
     */
    void lock(long start, long length, boolean alone, Progress progress) {
        if (!isLarge(length)) {
            backend.lock(start, length, LockOptions.FULL);
            progress.add(length);
            return;
        }
        if (limits != null) {
            limits.checkLimits(start, length);
        }
        if (!locksOnFault && forecasts.exceeds(length)) {
            // In one call the system refuses before it brings anything in, and for the reason of the whole range.
            backend.lock(start, length, LockOptions.FULL);
            progress.add(length);
            return;
        }
        long before = progress.bytes();
        boolean lockedOnFault = alone && locksOnFault;
        boolean mayPageIn = false;
        if (lockedOnFault) {
            backend.lock(start, length, LockOptions.ON_FAULT);
            mayPageIn = paging != null;
        }
        try {
            long step = firstStep;
            long done = 0;
            while (done < length) {
                check(progress);
                long begin = now();
                long size = readIn(start + done, Math.min(piece(start + done, step), length - done), progress);
                lockStep(start + done, size, lockedOnFault);
                long nanos = now() - begin;
                step = next(step, size, nanos);
                done += size;
                progress.reach(before + done);
                if (mayPageIn && done >= TRIAL && length - done >= SIDE_BY_SIDE && size / QUICK < nanos) {
                    mayPageIn = false;
                    pageIn(start + done, length - done, progress);
                }
            }
        } catch (PageLockException e) {
            if (e.reason() != Reason.TOO_MANY_MAPPINGS) {
                throw e;
            }
            // A step has edges of its own and needs a mapping more than the whole range does.
            backend.lock(start, length, LockOptions.FULL);
            progress.reach(before + length);
        }
    }

    /** The backend asks once whether the range is really locked: after the lock on fault, or after each step. */
    private void lockStep(long start, long length, boolean lockedOnFault) {
        if (lockedOnFault && again != null) {
            again.lockAgain(start, length);
        } else {
            backend.lock(start, length, LockOptions.FULL);
        }
    }

    /** Reads in what comes from files, as far as it goes in a moment. Returns how much of the range that is. */
    private long readIn(long start, long length, Progress progress) {
        if (files == null) {
            return length;
        }
        long begin = now();
        long done = files.readIn(start, length);
        while (done < length && now() - begin < READ_NANOS) {
            check(progress);
            done += files.readIn(start + done, length - done);
        }
        return done;
    }

    /** Unlocks, a large range in steps too: one munlock(2) of 2 GiB holds the memory map for 100 ms. */
    void unlock(long start, long length) {
        if (length <= UNLOCK_AT_ONCE) {
            backend.unlock(start, length);
            return;
        }
        try {
            long step = UNLOCK_AT_ONCE;
            long begin = now();
            for (long done = 0; done < length; ) {
                long size = Math.min(piece(start + done, step), length - done);
                backend.unlock(start + done, size);
                done += size;
                if (done < length) {
                    // However large, since what takes no time has no pages in memory, and perhaps a terabyte of them.
                    long end = now();
                    step = step(speed(size, end - begin), LARGEST_POWER);
                    if (end - begin > BRIEF_NANOS) {
                        // A virtual thread lets others have its carrier.
                        Thread.yield();
                        end = now();
                    }
                    begin = end;
                }
            }
        } catch (PageLockException e) {
            if (e.reason() != Reason.TOO_MANY_MAPPINGS) {
                throw e;
            }
            backend.unlock(start, length);
        }
    }

    private static void check(Progress progress) {
        if (progress.isCancelled()) {
            throw PageLockException.because(Reason.CANCELLED)
                    .detail("cancelled after " + progress.bytes() + " bytes")
                    .build();
        }
    }

    /** From an address to the next multiple of the step, so that no huge page is cut. */
    static long piece(long at, long step) {
        return (at + step & -step) - at;
    }

    /** The step that should take as long as it may, going by the last one. A power of two. */
    long next(long step, long size, long nanos) {
        double speed = speed(size, nanos);
        long largest = speed < UNTOUCHED ? Math.max(LARGEST_STEP, firstStep) : LARGEST_POWER / MOST_GROWTH;
        return step(speed, Math.min(step * MOST_GROWTH, largest));
    }

    private static double speed(long size, long nanos) {
        return (double) size / Math.max(1, nanos);
    }

    private long step(double speed, long most) {
        return Math.max(Long.highestOneBit((long) Math.min(speed * STEP_NANOS, most)), smallestStep);
    }

    /** Brings pages in by several threads, this one among them. Whatever fails shows when the step is locked. */
    private void pageIn(long start, long length, Progress progress) {
        Paging work = new Paging(start, length, progress);
        int threads = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
        List<Thread> helpers = new ArrayList<>();
        try {
            while (helpers.size() < threads - 1) {
                Thread helper = DaemonThread.of("pagelock-pager", work);
                helper.setUncaughtExceptionHandler(work);
                helper.start();
                helpers.add(helper);
            }
        } catch (OutOfMemoryError e) {
            // No thread to be had, as under a locked future with a small limit; go on with those there are.
        }
        try {
            work.run();
        } finally {
            join(helpers);
        }
    }

    /** What several threads do side by side. Without lambdas: to link the first ones of a JVM takes as long as 100 MiB. */
    private final class Paging implements Runnable, Thread.UncaughtExceptionHandler {
        private final long start;
        private final long length;
        private final Progress progress;
        private final AtomicLong taken = new AtomicLong();
        private volatile boolean stopped;

        Paging(long start, long length, Progress progress) {
            this.start = start;
            this.length = length;
            this.progress = progress;
        }

        @Override
        public void run() {
            long step = firstStep;
            while (!stopped && !progress.isCancelled()) {
                long from = taken.get();
                if (from == length) {
                    return;
                }
                long size = Math.min(piece(start + from, step), length - from);
                if (!taken.compareAndSet(from, from + size)) {
                    continue;
                }
                long begin = now();
                if (!pageIn(start + from, size)) {
                    stopped = true;
                    return;
                }
                progress.add(size);
                step = next(step, size, now() - begin);
            }
        }

        @Override
        public void uncaughtException(Thread thread, Throwable failure) {
            stopped = true;
        }
    }

    private boolean pageIn(long start, long size) {
        try {
            return paging.pageIn(start, size);
        } catch (RuntimeException e) {
            // The lock that follows tells what is wrong.
            return false;
        }
    }

    private static void join(List<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
