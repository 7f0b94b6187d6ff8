// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.EINTR;
import static io.pagelock.backend.freebsd.FreeBsdConstants.ERRNO;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.DaemonThread;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Locks by aio_mlock: the threads that wait for the ends of {@link AioJobs}. One daemon thread sleeps in the {@link Kqueue}
 * until a job is done, reaps it, gives its room in the kernel's queue to the next one, and reports the end. It starts with the
 * first job and ends when there has been none for a while.
 *
 * <p>Without a kqueue, threads sleep in aio_suspend instead. That call cannot be told of new jobs, so a job that comes while
 * it sleeps gets another thread, up to a few; and what the kernel does not begin cannot be called off, since aio_cancel needs
 * a descriptor.
 *
 * <p>The monitor of the jobs guards the threads' numbers too. It is never held across kevent, aio_suspend or a report.
 *
 * <p>If other code of this process reaps with aio_waitcomplete, it takes our jobs too, and their ends are lost to us; no
 * documented call prevents that.
 */
final class AioLocks {
    private static final int IDLE_SECONDS = 10;
    private static final int MOST_SUSPENDED = 4;

    private final AioCalls calls;
    private final NativeAccess memory;
    private final AioLayout layout;
    private final FreeBsdFailure failure;
    private final Kqueue kqueue;
    private final AioJobs jobs;
    private final LongSupplier clock;

    // Guarded by jobs.
    private int threads;
    /** How many of the threads sleep in aio_suspend, with lists that are not the newest. */
    private int suspended;
    /** How many of the threads sleep in kevent. */
    private int inKevent;

    /** @param clock counts nanoseconds, and is {@link System#nanoTime} but in tests */
    AioLocks(AioCalls calls, NativeAccess memory, AioLayout layout, FreeBsdFailure failure, LongSupplier clock) {
        this.calls = calls;
        this.memory = memory;
        this.layout = layout;
        this.failure = failure;
        kqueue = new Kqueue(calls, memory, layout);
        this.clock = clock;
        jobs = new AioJobs(calls, layout, kqueue, clock);
    }

    AsyncCall lock(long address, long length, Consumer<PageLockException> done) {
        AioJob job = new AioJob(this, memory, layout, address, length, done, clock.getAsLong());
        int errno;
        synchronized (jobs) {
            // First, because a job without a thread to reap it would never end.
            if (threads == 0) {
                startThread();
            }
            errno = jobs.add(job);
            if (errno == 0) {
                wakeSuspended();
            }
        }
        if (errno != 0) {
            throw failure.ofSubmit(errno, length, bits());
        }
        return job;
    }

    private int bits() {
        return layout == AioLayout.LP64 ? 64 : 32;
    }

    void cancel(AioJob job) {
        synchronized (jobs) {
            jobs.cancel(job);
            if (jobs.anyEnded() && !kqueue.wake()) {
                wakeSuspended();
            }
        }
    }

    /** Without a kqueue, sees to a thread that looks at the jobs as they are now. */
    private void wakeSuspended() {
        jobs.notifyAll();
        if (kqueue.fd() < 0 && suspended + inKevent == threads && threads < MOST_SUSPENDED) {
            try {
                startThread();
            } catch (OutOfMemoryError e) {
                // The threads there are will see to it when they wake.
            }
        }
    }

    private void startThread() {
        Thread thread = DaemonThread.of("pagelock-aio", this::run);
        threads++;
        boolean started = false;
        try {
            thread.start();
            started = true;
        } finally {
            if (!started) {
                threads--;
            }
        }
    }

    private void run() {
        boolean ends = false;
        try {
            NativeBlock event = kqueue.newEvent();
            for (int idle = 0; !ends; ) {
                idle = work(event) ? 0 : idle + 1;
                ends = idle >= IDLE_SECONDS && mayEnd();
            }
        } finally {
            if (!ends) {
                replaceThread();
            }
        }
    }

    /** Reports what has ended and waits for more, a second at most. Returns whether there was any job. */
    private boolean work(NativeBlock event) {
        synchronized (jobs) {
            jobs.callOff();
            if (!jobs.anyUnderWay()) {
                // Left over by a thread that failed, since no end of a job will lead to them.
                jobs.drain();
            }
        }
        reportEnded();
        int queue;
        synchronized (jobs) {
            queue = kqueue.fd();
            inKevent += queue >= 0 ? 1 : 0;
        }
        if (queue >= 0) {
            awaitEvent(queue, event);
        } else {
            awaitSuspended();
        }
        synchronized (jobs) {
            return !jobs.isEmpty();
        }
    }

    private boolean mayEnd() {
        synchronized (jobs) {
            threads -= jobs.isEmpty() ? 1 : 0;
            return jobs.isEmpty();
        }
    }

    /** For a thread that fails, mostly for want of memory. */
    private void replaceThread() {
        synchronized (jobs) {
            threads--;
            if (!jobs.isEmpty()) {
                // The next one may fail as well.
                sleep(100);
                try {
                    if (threads == 0) {
                        startThread();
                    }
                } catch (OutOfMemoryError e) {
                    // The next lock will try again.
                }
            }
        }
    }

    private void awaitEvent(int queue, NativeBlock event) {
        long block;
        try {
            block = kqueue.await(queue, event, 1);
        } finally {
            synchronized (jobs) {
                inKevent--;
            }
        }
        if (block == Kqueue.FAILED) {
            kqueue.lose(queue);
        } else if (block != Kqueue.TIMED_OUT && block != Kqueue.WOKEN) {
            reap(block);
        }
    }

    /** Sleeps in aio_suspend and reaps what is done; without jobs, sleeps in Java. */
    private void awaitSuspended() {
        List<AioJob> sleptFor;
        synchronized (jobs) {
            if (jobs.anyEnded()) {
                return;
            }
            if (!jobs.anyUnderWay()) {
                sleep(1000);
                return;
            }
            sleptFor = jobs.underWay();
            suspended++;
        }
        int errno;
        try {
            errno = suspend(sleptFor);
        } finally {
            synchronized (jobs) {
                suspended--;
            }
        }
        if (errno != 0 && errno != EINTR) {
            synchronized (jobs) {
                // Not known to happen. Better late than a thread that spins.
                sleep(100);
            }
        }
        for (AioJob job : sleptFor) {
            reap(job.block());
        }
    }

    /** Returns an errno. */
    private int suspend(List<AioJob> sleptFor) {
        int word = bits() / 8;
        NativeBlock list = new NativeBlock(memory, word == 8, sleptFor.size() * word);
        for (int i = 0; i < sleptFor.size(); i++) {
            list.putWord(i * word, sleptFor.get(i).block());
        }
        int result = calls.aio_suspend(list.address, sleptFor.size(), 0);
        int errno = result == 0 ? 0 : calls.errno();
        list.keepReachable();
        return errno;
    }

    private void sleep(long millis) {
        try {
            jobs.wait(millis);
        } catch (InterruptedException e) {
            // Nobody has a reason to interrupt this thread; go on.
        }
    }

    private void reap(long block) {
        AioJob job = null;
        try {
            synchronized (jobs) {
                job = jobs.reap(block);
                if (job != null) {
                    jobs.drain();
                }
            }
        } finally {
            if (job != null) {
                report(job);
            }
        }
    }

    private void reportEnded() {
        while (true) {
            AioJob job;
            synchronized (jobs) {
                job = jobs.nextEnded();
            }
            if (job == null) {
                return;
            }
            report(job);
        }
    }

    private void report(AioJob job) {
        try {
            job.done.accept(refusal(job));
        } catch (Throwable e) {
            // A mistake of the engine's, which callbacks of users never reach from here. This thread serves others,
            // too.
            return;
        }
    }

    /** Explains the end of a job; by the number alone if more cannot be found out, since the lock has to end in any case. */
    private PageLockException refusal(AioJob job) {
        try {
            switch (job.end) {
                case CANCELLED:
                    return PageLockException.because(Reason.CANCELLED)
                            .detail("cancelled before it was queued")
                            .build();
                case NOT_BEGUN:
                    return failure.ofJobNotBegun();
                case REFUSED:
                    return failure.ofSubmit(job.errno, job.length, bits());
                default:
                    return job.errno == 0 ? null : failure.ofLock("aio_mlock", job.errno, job.address, job.length);
            }
        } catch (Throwable e) {
            return PageLockException.because(Reason.UNKNOWN)
                    .call("aio_mlock", job.errno, ERRNO.name(job.errno))
                    .cause(e)
                    .build();
        }
    }
}
