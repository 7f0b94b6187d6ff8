// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.AIO_CANCELED;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EAGAIN;
import static io.pagelock.backend.freebsd.FreeBsdConstants.ECANCELED;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EINPROGRESS;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The record of the jobs: which of them the kernel has, which wait for room in its queue, and which ended outside the kernel
 * and are not reported yet. Every method must be called with this object's monitor held, and none sleeps: aio_mlock,
 * aio_cancel, aio_error and aio_return return at once.
 *
 * <p>Where memory runs out, a job is recorded twice rather than not at all; so what may fail comes first.
 */
final class AioJobs {
    /** How long the kernel may leave our jobs without ending one before those that it has not begun are called off. */
    static final long PATIENCE_NANOS = 1_000_000_000L;

    private static final int FIRST_TRIAL = 16;
    private static final int LAST_TRIAL = 4096;

    private final AioCalls calls;
    private final AioLayout layout;
    private final Kqueue kqueue;
    private final LongSupplier clock;

    /** What the kernel has, by the address of the control block. */
    private final Map<Long, AioJob> underWay = new HashMap<>();
    /** Those of them that may not have begun, in the order in which they came. */
    private final Deque<AioJob> waiting = new ArrayDeque<>();
    /** What waits for room in the kernel's queue. */
    private final Deque<AioJob> backlog = new ArrayDeque<>();
    /** What ended without the kernel. */
    private final Deque<AioJob> ended = new ArrayDeque<>();
    /** When the kernel last ended a job by itself. */
    private long lastEnd;

    /** How many of our jobs the kernel's queue has room for, as far as is known: each refused attempt is a wasted call. */
    private int room = Integer.MAX_VALUE;
    /** How many jobs are reaped before one more than {@link #room} is tried, since others' jobs leave the queue, too. */
    private int trial = FIRST_TRIAL;

    private int reaped;

    AioJobs(AioCalls calls, AioLayout layout, Kqueue kqueue, LongSupplier clock) {
        this.calls = calls;
        this.layout = layout;
        this.kqueue = kqueue;
        this.clock = clock;
    }

    boolean isEmpty() {
        assert Thread.holdsLock(this);
        return underWay.isEmpty() && backlog.isEmpty() && ended.isEmpty();
    }

    boolean anyUnderWay() {
        assert Thread.holdsLock(this);
        return !underWay.isEmpty();
    }

    boolean anyEnded() {
        assert Thread.holdsLock(this);
        return !ended.isEmpty();
    }

    List<AioJob> underWay() {
        assert Thread.holdsLock(this);
        return new ArrayList<>(underWay.values());
    }

    /** Returns a job that ended without the kernel, once; null if there is none. */
    AioJob nextEnded() {
        assert Thread.holdsLock(this);
        return ended.poll();
    }

    /** Hands a job to the kernel, or lets it wait for one of ours to be reaped. Returns an errno if it can do neither. */
    int add(AioJob job) {
        assert Thread.holdsLock(this);
        int errno = EAGAIN;
        if (backlog.isEmpty() && hasRoom()) {
            errno = submit(job);
        }
        if (errno == EAGAIN && (!underWay.isEmpty() || !backlog.isEmpty())) {
            backlog.add(job);
            return 0;
        }
        return errno;
    }

    private boolean hasRoom() {
        return underWay.isEmpty() || underWay.size() < room;
    }

    private int submit(AioJob job) {
        while (true) {
            int queue = kqueue.fd();
            job.prepare(layout, queue);
            waiting.add(job);
            underWay.put(job.block(), job);
            if (calls.aio_mlock(job.block()) == 0) {
                return 0;
            }
            int errno = calls.errno();
            underWay.remove(job.block());
            waiting.removeLast();
            if (!kqueue.isLost(queue, errno)) {
                if (errno == EAGAIN) {
                    room = Math.max(1, underWay.size());
                }
                return errno;
            }
            kqueue.lose(queue);
        }
    }

    /** Hands jobs from the backlog to the kernel, as many as it has room for: one for each that was reaped. */
    void drain() {
        assert Thread.holdsLock(this);
        while (!backlog.isEmpty()) {
            boolean tries = underWay.size() == room && reaped >= trial;
            if (!hasRoom() && !tries) {
                return;
            }
            AioJob job = backlog.peek();
            int errno = submit(job);
            if (tries) {
                reaped = 0;
                trial = errno == 0 ? FIRST_TRIAL : Math.min(2 * trial, LAST_TRIAL);
                room = errno == 0 ? underWay.size() : room;
            }
            if (errno == EAGAIN && !underWay.isEmpty()) {
                return;
            }
            if (errno != 0) {
                end(job, AioJob.End.REFUSED, errno);
            }
            backlog.remove();
        }
    }

    private void end(AioJob job, AioJob.End end, int errno) {
        job.end = end;
        job.errno = errno;
        ended.add(job);
    }

    /** Takes a job back from the kernel with one aio_return; returns null if it is not done, or not ours. */
    AioJob reap(long block) {
        assert Thread.holdsLock(this);
        AioJob job = underWay.get(block);
        int errno = job == null ? EINPROGRESS : calls.aio_error(block);
        if (errno == EINPROGRESS) {
            return null;
        }
        underWay.remove(block);
        waiting.remove(job);
        calls.aio_return(block);
        reaped++;
        job.errno = errno;
        job.end = AioJob.End.REAPED;
        if (errno == ECANCELED && job.isCalledOff && !job.isCancelled) {
            job.end = AioJob.End.NOT_BEGUN;
        } else if (errno != ECANCELED) {
            lastEnd = clock.getAsLong();
        }
        return job;
    }

    /** Cancels a job for the engine. The kernel ends one that it has not begun, and goes on with one that runs. */
    void cancel(AioJob job) {
        assert Thread.holdsLock(this);
        job.isCancelled = true;
        if (underWay.get(job.block()) == job) {
            cancelInKernel(job);
        } else if (backlog.contains(job)) {
            end(job, AioJob.End.CANCELLED, 0);
            backlog.remove(job);
        }
    }

    /** Returns whether the job had not begun, and ends by that. */
    private boolean cancelInKernel(AioJob job) {
        int queue = kqueue.fd();
        return queue >= 0 && calls.aio_cancel(queue, job.block()) == AIO_CANCELED;
    }

    /**
     * Calls off what the kernel has left lying for too long, as it does while all of its threads are blocked by jobs of this
     * or any process that never end. Others may then lock it by mlock. As long as jobs of ours end, the rest has patience.
     */
    void callOff() {
        assert Thread.holdsLock(this);
        long now = clock.getAsLong();
        if (now - lastEnd < PATIENCE_NANOS && lastEnd != 0) {
            return;
        }
        boolean any = false;
        while (!waiting.isEmpty() && now - waiting.peek().since >= PATIENCE_NANOS) {
            AioJob job = waiting.remove();
            job.isCalledOff = cancelInKernel(job);
            any |= job.isCalledOff;
        }
        while (any && !backlog.isEmpty() && now - backlog.peek().since >= PATIENCE_NANOS) {
            end(backlog.peek(), AioJob.End.NOT_BEGUN, 0);
            backlog.remove();
        }
    }
}
