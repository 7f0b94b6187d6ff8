// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.EAGAIN;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EBADF;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EINPROGRESS;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EINTR;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EINVAL;
import static io.pagelock.backend.freebsd.FreeBsdConstants.ERRNO;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EVFILT_USER;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EV_ADD;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EV_CLEAR;
import static io.pagelock.backend.freebsd.FreeBsdConstants.NOTE_TRIGGER;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.AsyncCall;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Locks by aio_mlock. One daemon thread sleeps in kevent until a job is done, reaps it with one aio_return, gives the room in
 * the queue to the next one that waits for it, and reports the end. It starts with the first job and ends when there has been
 * none for a while.
 *
 * <p>Where no kqueue can be had, or it is closed by other code, threads sleep in aio_suspend instead. That call cannot be told
 * of new jobs, so a job that comes while it sleeps gets another thread, up to a few. A thread that sleeps in kevent is not
 * woken when the kqueue is closed, and is still told of the jobs that have it, but can be told of nothing new.
 *
 * <p>Jobs beyond the queue's limit wait here, and their turn comes when one of ours is reaped. The monitor guards the books.
 * It is held across aio_mlock, aio_cancel, aio_error and aio_return, which do not wait, and never across kevent, aio_suspend
 * or a report.
 *
 * <p>If other code of this process reaps with aio_waitcomplete, it takes our jobs too, and their ends are lost to us; no
 * documented call prevents that.
 */
final class AioLocks {
    private static final long IDLE_SECONDS = 10;
    private static final int MOST_SUSPENDED = 4;
    private static final int NOT_TRIED = -2;
    private static final int NONE = -1;

    /** Large enough for a kevent of every release, and for a timespec. */
    private static final int EVENT_SIZE = 128;

    private final AioCalls calls;
    private final AioLayout layout;
    private final FreeBsdFailure failure;

    // All guarded by this.
    /** What the kernel has, by the address of the control block. */
    private final Map<Long, AioJob> underWay = new HashMap<>();
    /** What waits for room in the queue. */
    private final Deque<AioJob> backlog = new ArrayDeque<>();
    /** What ended without the kernel, for a thread to report. */
    private final Deque<Ended> ended = new ArrayDeque<>();

    private int kqueue = NOT_TRIED;
    private int threads;
    /** How many of the threads sleep in aio_suspend, with lists that are not the newest. */
    private int suspended;
    /** How many of the threads sleep in kevent. */
    private int inKevent;

    private static final class Ended {
        private final AioJob job;
        private final PageLockException refusal;

        private Ended(AioJob job, PageLockException refusal) {
            this.job = job;
            this.refusal = refusal;
        }
    }

    AioLocks(AioCalls calls, AioLayout layout, FreeBsdFailure failure) {
        this.calls = calls;
        this.layout = layout;
        this.failure = failure;
    }

    AsyncCall lock(long address, long length, Consumer<PageLockException> done) {
        AioJob job = new AioJob(this, layout, address, length, done);
        int refused = 0;
        synchronized (this) {
            // First, because a job without a thread to reap it would never end.
            ensureThread();
            if (backlog.isEmpty()) {
                refused = submit(job);
            }
            if (!backlog.isEmpty() || refused == EAGAIN && !underWay.isEmpty()) {
                backlog.add(job);
                refused = 0;
            }
        }
        if (refused != 0) {
            throw failure.ofSubmit(refused, length, bits());
        }
        return job;
    }

    private int bits() {
        return layout == AioLayout.LP64 ? 64 : 32;
    }

    void cancel(AioJob job) {
        synchronized (this) {
            if (underWay.get(job.block()) == job) {
                // Whatever the kernel makes of it: the end comes as always.
                if (kqueue >= 0) {
                    calls.aio_cancel(kqueue, job.block());
                }
            } else if (backlog.remove(job)) {
                ended.add(new Ended(
                        job,
                        PageLockException.because(Reason.CANCELLED)
                                .detail("cancelled before it was queued")
                                .build()));
                wake();
            }
        }
    }

    /** Hands a job to the kernel; returns an errno. Under the monitor. */
    private int submit(AioJob job) {
        while (true) {
            int queue = openKqueue();
            job.prepare(layout, queue);
            underWay.put(job.block(), job);
            if (calls.aio_mlock(job.block()) == 0) {
                wakeForNew();
                return 0;
            }
            int errno = calls.errno();
            underWay.remove(job.block());
            // Of a descriptor that is no kqueue, some releases say the one, some the other (sys/kern/kern_event.c).
            boolean lost = queue >= 0 && (errno == EBADF || errno == EINVAL && calls.kevent(queue, 0, 0, 0, 0, 0) < 0);
            if (!lost) {
                return errno;
            }
            // Closed by other code, which went through all descriptors.
            kqueue = NONE;
        }
    }

    private int openKqueue() {
        if (kqueue == NOT_TRIED) {
            int fd = calls.kqueue();
            kqueue = fd >= 0 && change(fd, EV_ADD | EV_CLEAR, 0) ? fd : NONE;
        }
        return kqueue;
    }

    /** Changes the event by which a thread in kevent is woken. */
    private boolean change(int fd, int flags, int fflags) {
        Memory event = new Memory(EVENT_SIZE);
        event.clear();
        // Up to fflags, the members of the event lie at the same places in every release.
        event.setShort(Native.POINTER_SIZE, EVFILT_USER);
        event.setShort(Native.POINTER_SIZE + 2, (short) flags);
        event.setInt(Native.POINTER_SIZE + 4, fflags);
        boolean changed = calls.kevent(fd, Pointer.nativeValue(event), 1, 0, 0, 0) >= 0;
        hold(event);
        return changed;
    }

    /** Keeps memory reachable up to here, while C uses its address; Reference.reachabilityFence came with Java 9. */
    private static void hold(Memory memory) {
        synchronized (memory) {
            memory.size();
        }
    }

    /** Makes a thread look at {@link #ended}. */
    private void wake() {
        if (kqueue < 0 || !change(kqueue, 0, NOTE_TRIGGER)) {
            kqueue = NONE;
            wakeForNew();
        }
    }

    private void wakeForNew() {
        notifyAll();
        if (kqueue < 0 && suspended + inKevent == threads && threads < MOST_SUSPENDED) {
            try {
                startThread();
            } catch (OutOfMemoryError e) {
                // The threads there are will see to it when they wake.
            }
        }
    }

    private void ensureThread() {
        if (threads == 0) {
            startThread();
        }
    }

    private void startThread() {
        Thread thread = new Thread(this::run, "pagelock-aio");
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
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
        boolean idle = false;
        try {
            Memory event = new Memory(EVENT_SIZE);
            while (!idle) {
                idle = !work(event) && mayEnd();
            }
        } finally {
            if (!idle) {
                replaceThread();
            }
        }
    }

    /** Reports what has ended and waits for more. Returns false if nothing came for a while. */
    private boolean work(Memory event) {
        synchronized (this) {
            if (underWay.isEmpty()) {
                // Left over by a thread that failed, since no end of a job will lead to them.
                drain();
            }
        }
        reportEnded();
        int queue;
        boolean idle;
        synchronized (this) {
            queue = openKqueue();
            idle = underWay.isEmpty() && ended.isEmpty();
            inKevent += queue >= 0 ? 1 : 0;
        }
        return queue >= 0 ? awaitEvent(queue, event, idle) : awaitSuspended();
    }

    private synchronized boolean mayEnd() {
        if (hasWork()) {
            return false;
        }
        threads--;
        return true;
    }

    /** For a thread that fails, mostly for want of memory. */
    private synchronized void replaceThread() {
        threads--;
        if (hasWork()) {
            // The next one may fail as well.
            sleep(100);
            try {
                ensureThread();
            } catch (OutOfMemoryError e) {
                // The next lock will try again.
            }
        }
    }

    private boolean hasWork() {
        return !underWay.isEmpty() || !backlog.isEmpty() || !ended.isEmpty();
    }

    /**
     * Sleeps in kevent and reaps one job.
     *
     * @param idle whether there is none, so that the sleep may end by itself
     * @return false if it did
     */
    private boolean awaitEvent(int queue, Memory event, boolean idle) {
        int count;
        int errno;
        try {
            event.clear();
            long timeout = 0;
            if (idle) {
                // Where time_t has 4 bytes, which is on i386 alone, the upper half of this is the nanoseconds.
                event.setLong(EVENT_SIZE - 16, IDLE_SECONDS);
                timeout = Pointer.nativeValue(event) + EVENT_SIZE - 16;
            }
            // One event at a time: an array's stride differs between releases, the place of ident and filter does not.
            count = calls.kevent(queue, 0, 0, Pointer.nativeValue(event), 1, timeout);
            errno = count < 0 ? calls.errno() : 0;
        } finally {
            synchronized (this) {
                inKevent--;
            }
        }
        if (count == 0) {
            return false;
        }
        if (count < 0) {
            if (errno != EINTR) {
                loseKqueue(queue);
            }
            return true;
        }
        if (event.getShort(Native.POINTER_SIZE) != EVFILT_USER) {
            // The kernel repeats the event until the job is reaped, which is before this thread sleeps again.
            reap(Pointer.nativeValue(event.getPointer(0)));
        }
        return true;
    }

    private synchronized void loseKqueue(int queue) {
        if (kqueue == queue) {
            kqueue = NONE;
        }
    }

    /** Sleeps in aio_suspend and reaps what is done; without jobs, sleeps in Java. Returns false if there was nothing. */
    private boolean awaitSuspended() {
        List<AioJob> jobs;
        synchronized (this) {
            if (!ended.isEmpty()) {
                return true;
            }
            if (underWay.isEmpty()) {
                sleep(IDLE_SECONDS * 1000);
                return !underWay.isEmpty() || !ended.isEmpty();
            }
            jobs = new ArrayList<>(underWay.values());
            suspended++;
        }
        int errno;
        try {
            errno = suspend(jobs);
        } finally {
            synchronized (this) {
                suspended--;
            }
        }
        if (errno != 0 && errno != EINTR) {
            synchronized (this) {
                // Not known to happen. Better late than a thread that spins.
                sleep(100);
            }
        }
        for (AioJob job : jobs) {
            reap(job.block());
        }
        return true;
    }

    /** Returns an errno. */
    private int suspend(List<AioJob> jobs) {
        Memory list = new Memory((long) jobs.size() * Native.POINTER_SIZE);
        for (int i = 0; i < jobs.size(); i++) {
            list.setPointer(
                    (long) i * Native.POINTER_SIZE, new Pointer(jobs.get(i).block()));
        }
        int result = calls.aio_suspend(Pointer.nativeValue(list), jobs.size(), 0);
        int errno = result == 0 ? 0 : calls.errno();
        hold(list);
        return errno;
    }

    private void sleep(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            // Nobody has a reason to interrupt this thread; go on.
        }
    }

    /** Takes a job back from the kernel if it is done: one aio_return for each job. */
    private void reap(long block) {
        AioJob job;
        int errno;
        synchronized (this) {
            job = underWay.get(block);
            if (job == null) {
                return;
            }
            errno = calls.aio_error(block);
            if (errno == EINPROGRESS) {
                return;
            }
            underWay.remove(block);
            calls.aio_return(block);
        }
        try {
            synchronized (this) {
                drain();
            }
        } finally {
            report(
                    job,
                    errno == 0
                            ? null
                            : explained(errno, () -> failure.ofLock("aio_mlock", errno, job.address, job.length)));
        }
    }

    /** The number alone, if more cannot be found out: the lock has to end in any case. */
    private static PageLockException explained(int errno, Supplier<PageLockException> explanation) {
        try {
            return explanation.get();
        } catch (Throwable e) {
            return PageLockException.because(Reason.UNKNOWN)
                    .call("aio_mlock", errno, ERRNO.name(errno))
                    .cause(e)
                    .build();
        }
    }

    /** Hands waiting jobs to the kernel, as many as it takes. Under the monitor. */
    private void drain() {
        while (!backlog.isEmpty()) {
            AioJob job = backlog.peek();
            int errno = submit(job);
            if (errno == EAGAIN && !underWay.isEmpty()) {
                return;
            }
            if (errno != 0) {
                ended.add(new Ended(job, explained(errno, () -> failure.ofSubmit(errno, job.length, bits()))));
            }
            backlog.remove();
        }
    }

    private void reportEnded() {
        while (true) {
            Ended next;
            synchronized (this) {
                next = ended.poll();
            }
            if (next == null) {
                return;
            }
            report(next.job, next.refusal);
        }
    }

    private static void report(AioJob job, PageLockException refusal) {
        try {
            job.done.accept(refusal);
        } catch (Throwable e) {
            // This thread serves others, too.
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }
}
