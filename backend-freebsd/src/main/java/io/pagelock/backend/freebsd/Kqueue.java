// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.EBADF;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EINTR;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EINVAL;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EVFILT_USER;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EV_ADD;
import static io.pagelock.backend.freebsd.FreeBsdConstants.EV_CLEAR;
import static io.pagelock.backend.freebsd.FreeBsdConstants.NOTE_TRIGGER;

import io.pagelock.backend.support.NativeAccess;

/**
 * The kernel queue that reports the ends of jobs, and wakes the thread that sleeps in it. Where none can be had, or other code
 * has closed it, there is none from then on. A thread that sleeps in kevent is not woken when the queue is closed, and still
 * receives the ends of the jobs that have it, but nothing else.
 *
 * <p>Of a {@code struct kevent}, only members are used that lie at the same places in every release: ident, filter, flags
 * and fflags.
 */
final class Kqueue {
    /** What {@link #await} returns besides the address of a control block. */
    static final long TIMED_OUT = 0;

    static final long WOKEN = -1;
    static final long FAILED = -2;

    private static final int NOT_TRIED = -2;
    private static final int NONE = -1;
    /** Large enough for a kevent of every release, with a timespec behind it. */
    private static final int EVENT_SIZE = 128;

    private static final int TIMEOUT = EVENT_SIZE - 16;

    private final AioCalls calls;
    private final NativeAccess memory;
    private final boolean wide;
    private final int word;
    private int fd = NOT_TRIED;

    Kqueue(AioCalls calls, NativeAccess memory, AioLayout layout) {
        this.calls = calls;
        this.memory = memory;
        wide = layout == AioLayout.LP64;
        word = wide ? 8 : 4;
    }

    /** Returns the descriptor, opening it the first time; negative if there is none. */
    synchronized int fd() {
        if (fd == NOT_TRIED) {
            int opened = calls.kqueue();
            fd = opened >= 0 && change(opened, EV_ADD | EV_CLEAR, 0) ? opened : NONE;
        }
        return fd;
    }

    /** Gives a descriptor up, which other code has closed. */
    synchronized void lose(int queue) {
        if (fd == queue) {
            fd = NONE;
        }
    }

    /** Reports whether aio_mlock failed because other code closed the queue, perhaps reusing its number. */
    boolean isLost(int queue, int errno) {
        // Of a descriptor that is no kqueue, some releases say the one, some the other (sys/kern/kern_event.c).
        return queue >= 0 && (errno == EBADF || errno == EINVAL && calls.kevent(queue, 0, 0, 0, 0, 0) < 0);
    }

    /** Wakes the thread that sleeps; returns false if there is no queue to do it by. */
    synchronized boolean wake() {
        if (fd >= 0 && !change(fd, 0, NOTE_TRIGGER)) {
            fd = NONE;
        }
        return fd >= 0;
    }

    private boolean change(int queue, int flags, int fflags) {
        NativeBlock event = newEvent();
        event.bytes.putShort(word, EVFILT_USER);
        event.bytes.putShort(word + 2, (short) flags);
        event.bytes.putInt(word + 4, fflags);
        boolean changed = calls.kevent(queue, event.address, 1, 0, 0, 0) >= 0;
        event.keepReachable();
        return changed;
    }

    /** Returns memory for {@link #await}. */
    NativeBlock newEvent() {
        return new NativeBlock(memory, wide, EVENT_SIZE);
    }

    /**
     * Sleeps until a job ends, {@link #wake} is called or the time is up. The kernel repeats the event of a job until the job
     * is reaped.
     *
     * @return the address of the job's control block, or one of the constants
     */
    long await(int queue, NativeBlock event, long seconds) {
        event.clear();
        // Where time_t has 4 bytes, which is on i386 alone, the upper half of this is the nanoseconds.
        event.bytes.putLong(TIMEOUT, seconds);
        // One event at a time: an array's stride differs between releases.
        int count = calls.kevent(queue, 0, 0, event.address, 1, event.address + TIMEOUT);
        if (count < 0) {
            return calls.errno() == EINTR ? WOKEN : FAILED;
        }
        if (count == 0) {
            return TIMED_OUT;
        }
        return event.bytes.getShort(word) == EVFILT_USER ? WOKEN : event.getWord(0);
    }
}
