// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.spi.DaemonThread;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A few daemon threads that work off a queue. A thread whose work is stuck or no longer wanted does not count: another one takes its
 * place, so that work which never ends stops no other, up to {@value #MOST} threads. Queueing needs no memory but for threads.
 */
final class Crew {
    /** Bounds the threads, and thus how many calls may hang at the same time before others wait. */
    static final int MOST = 64;

    private static final long IDLE_MILLIS = 10_000;
    private static final long LOOK_MILLIS = 50;

    /** Something to do. May be queued again as soon as it runs. */
    abstract static class Work implements Runnable {
        private Work next;

        /** Returns how far it has come; it is stuck when this stays the same. */
        long progress() {
            return 0;
        }

        /** Reports whether nobody waits for its end any more. */
        boolean isUnwanted() {
            return false;
        }
    }

    private final String name;
    private final long patienceNanos;
    private final int usual = Math.max(2, Math.min(4, Runtime.getRuntime().availableProcessors()));

    // Guarded by this.
    private final List<Worker> workers = new ArrayList<>(MOST);
    private Work first;
    private Work last;
    private int queued;
    private int idle;
    private int number;
    private boolean watched;

    /**
     * Makes a crew without threads.
     *
     * @param name the first part of the threads' names
     * @param patienceMillis the time after which work without progress is stuck
     */
    Crew(String name, long patienceMillis) {
        this.name = name;
        patienceNanos = TimeUnit.MILLISECONDS.toNanos(patienceMillis);
    }

    /**
     * Queues work. It never runs in the calling thread.
     *
     * @throws OutOfMemoryError if there is no thread and none can be made; the work is not queued then
     */
    synchronized void execute(Work work) {
        work.next = null;
        if (first == null) {
            first = work;
        } else {
            last.next = work;
        }
        last = work;
        queued++;
        if (idle >= queued) {
            notify();
            return;
        }
        try {
            if (counted() < usual && workers.size() < MOST) {
                start();
            } else if (!watched) {
                DaemonThread.of(name + "watch", this::watch).start();
                watched = true;
            }
        } catch (OutOfMemoryError e) {
            // Those there are will do if there can be no more, as under a locked future.
            if (workers.isEmpty()) {
                remove(work);
                throw e;
            }
        }
    }

    private void remove(Work work) {
        Work before = null;
        for (Work each = first; each != work; each = each.next) {
            before = each;
        }
        if (before == null) {
            first = work.next;
        } else {
            before.next = work.next;
        }
        last = work == last ? before : last;
        queued--;
    }

    private int counted() {
        int counted = 0;
        for (int i = 0; i < workers.size(); i++) {
            counted += workers.get(i).isStuck ? 0 : 1;
        }
        return counted;
    }

    private void start() {
        Worker worker = new Worker();
        Thread thread = DaemonThread.of(name + ++number, worker);
        workers.add(worker);
        try {
            thread.start();
        } catch (Throwable e) {
            workers.remove(worker);
            throw e;
        }
    }

    /** Runs as long as work is queued: only then does it matter who is stuck. */
    private void watch() {
        while (true) {
            synchronized (this) {
                if (first == null) {
                    watched = false;
                    return;
                }
                try {
                    look(System.nanoTime());
                } catch (OutOfMemoryError e) {
                    // The next look tries again.
                }
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                // Nobody has a reason to interrupt this thread.
            }
        }
    }

    private void look(long now) {
        for (int i = 0; i < workers.size(); i++) {
            Worker each = workers.get(i);
            if (each.current == null) {
                continue;
            }
            long progress = each.current.progress();
            if (progress != each.progress) {
                each.progress = progress;
                each.since = now;
            }
            each.isStuck = each.current.isUnwanted() || now - each.since > patienceNanos;
        }
        while (queued > idle && counted() < usual && workers.size() < MOST) {
            start();
        }
    }

    private final class Worker implements Runnable {
        private Work current;
        private long progress;
        private long since;
        private boolean isStuck;

        @Override
        public void run() {
            try {
                while (take(this)) {
                    try {
                        current.run();
                    } catch (Throwable e) {
                        // What fails has said so to whoever waits for it.
                        continue;
                    }
                }
            } finally {
                leave(this);
            }
        }
    }

    /** Waits for work; returns false if the thread should end. */
    private synchronized boolean take(Worker worker) {
        worker.current = null;
        worker.isStuck = false;
        if (counted() > usual) {
            return leave(worker);
        }
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(IDLE_MILLIS);
        while (first == null) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                return leave(worker);
            }
            idle++;
            try {
                wait(left);
            } catch (InterruptedException e) {
                // Nobody has a reason to interrupt this thread.
            } finally {
                idle--;
            }
        }
        worker.current = first;
        first = first.next;
        // What is done must not stay reachable from here: it may hold the only handle, which somebody has dropped.
        last = first == null ? null : last;
        worker.current.next = null;
        queued--;
        worker.progress = worker.current.progress();
        worker.since = System.nanoTime();
        return true;
    }

    /** In one with the look at the queue: what is queued next must not count on this thread. */
    private synchronized boolean leave(Worker worker) {
        workers.remove(worker);
        return false;
    }
}
