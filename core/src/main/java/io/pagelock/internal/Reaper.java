// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.spi.DaemonThread;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;

/**
 * Unlocks what dropped handles held. Its daemon thread starts with the first handle and ends when there has been none for
 * a while, so that an idle library keeps no thread.
 */
final class Reaper {
    private static final long IDLE_MILLIS = 10_000;
    private static final long AGAIN_MILLIS = 10;

    private final RangeLocks locks;
    private final ReferenceQueue<Handle> queue = new ReferenceQueue<>();
    private final Leaks leaks;
    private volatile boolean running;
    /** Taken from the queue and not closed yet. Of the reaper's thread alone. */
    private Hold unfinished;
    /** There was no memory for the wait. Of the reaper's thread alone. */
    private boolean failed;

    Reaper(RangeLocks locks, Leaks leaks) {
        this.locks = locks;
        this.leaks = leaks;
    }

    ReferenceQueue<Handle> queue() {
        return queue;
    }

    /** Called after each lock. */
    void watch() {
        if (!running) {
            start();
        }
    }

    private synchronized void start() {
        if (running) {
            return;
        }
        try {
            Thread thread = DaemonThread.of("pagelock-reaper", new Loop());
            running = true;
            thread.start();
        } catch (OutOfMemoryError | RuntimeException e) {
            // No thread to be had, as under a locked future with a small limit. The lock stands; the next one tries
            // again.
            running = false;
        }
    }

    private final class Loop implements Runnable {
        @Override
        public void run() {
            boolean goesOn = true;
            while (goesOn) {
                awaitDropped();
                goesOn = serve();
            }
        }
    }

    private void awaitDropped() {
        try {
            if (unfinished == null && !failed) {
                take((Hold) (Reference<?>) queue.remove(IDLE_MILLIS));
            } else {
                // There will be memory again. To sleep needs none.
                failed = false;
                Thread.sleep(AGAIN_MILLIS);
            }
        } catch (OutOfMemoryError e) {
            // On some JVMs the wait needs memory.
            failed = true;
        } catch (InterruptedException e) {
            // Nobody has a reason to interrupt this thread; go on.
            return;
        }
    }

    /** A collector may also hand over what was closed: it sees old garbage as live for a while. */
    private void take(Hold dropped) {
        unfinished = dropped;
        long bytes = dropped == null ? 0 : locks.openBytes(dropped);
        if (bytes > 0) {
            leaks.dropped(dropped.start(0), bytes, dropped.place);
        }
    }

    /** Closes what was dropped, or looks after what waits and what is left over; false if the thread may end. */
    private boolean serve() {
        try {
            if (unfinished != null) {
                unfinished = locks.reap(unfinished) ? null : unfinished;
            } else if (mayEnd()) {
                return false;
            } else {
                locks.lookAgain();
            }
        } catch (Throwable e) {
            // What could not be unlocked is left to sweeps; other handles must still be served.
            return true;
        }
        return true;
    }

    /** The flag goes down before the look: a handle made in between starts a new thread. */
    private synchronized boolean mayEnd() {
        running = false;
        boolean ends = false;
        try {
            ends = locks.openHolds() == 0 && !locks.needsLookAgain();
        } finally {
            running = !ends;
        }
        return ends;
    }
}
