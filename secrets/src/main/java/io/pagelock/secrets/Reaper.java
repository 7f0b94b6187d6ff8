// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import io.pagelock.spi.DaemonThread;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;

/** Ends secrets and pools that were collected without a close, and wipes what is open when the JVM ends. */
final class Reaper {
    static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();
    /** The first of the open ones. In a list, since to wipe them must need no memory. */
    private static Pool pools;

    /** An idle library keeps no thread and no hook, which would keep its class loader. */
    private static final long IDLE_MILLIS = 1000;

    private static boolean running;
    /** Null if there is none. */
    private static Thread hook;
    /** What was open is wiped: nothing wipes what comes later. */
    private static boolean ended;

    /** A pool that is open. */
    static final class Pool extends PhantomReference<SecretPool> {
        private final Slabs slabs;
        private final boolean wipedAtExit;
        private Pool previous;
        private Pool next;

        private Pool(SecretPool pool, Slabs slabs, boolean wipedAtExit) {
            super(pool, QUEUE);
            this.slabs = slabs;
            this.wipedAtExit = wipedAtExit;
        }

        void close() {
            remove(this);
            clear();
            slabs.close();
        }
    }

    private Reaper() {}

    /**
     * Watches a pool.
     *
     * @param wipedAtExit whether its secrets are wiped when the JVM ends
     */
    static synchronized Pool watch(SecretPool pool, Slabs slabs, boolean wipedAtExit) {
        if (!running) {
            DaemonThread.of("pagelock-secrets", Reaper::run).start();
            running = true;
        }
        Pool watched = new Pool(pool, slabs, wipedAtExit);
        add(watched);
        // There may be no hook any more; then nothing may be written into the pool.
        if (wipedAtExit && !hook()) {
            slabs.wipe();
        }
        return watched;
    }

    private static synchronized void add(Pool pool) {
        pool.next = pools;
        if (pools != null) {
            pools.previous = pool;
        }
        pools = pool;
    }

    /** Does nothing the second time. */
    private static synchronized void remove(Pool pool) {
        if (pool.previous != null) {
            pool.previous.next = pool.next;
        } else if (pools == pool) {
            pools = pool.next;
        }
        if (pool.next != null) {
            pool.next.previous = pool.previous;
        }
        pool.previous = null;
        pool.next = null;
    }

    /** Returns whether there is a hook at the end of the JVM, after making one if possible. */
    static synchronized boolean hook() {
        if (hook == null) {
            try {
                hook = DaemonThread.atExit("pagelock-secrets-exit", Reaper::wipeAll);
            } catch (IllegalStateException e) {
                // The JVM ends already.
                return false;
            }
        }
        return !ended;
    }

    static synchronized boolean isHooked() {
        return hook != null;
    }

    private static synchronized void wipeAll() {
        ended = true;
        for (Pool each = pools; each != null; each = each.next) {
            if (each.wipedAtExit) {
                each.slabs.wipe();
            }
        }
    }

    private static void run() {
        boolean goesOn = true;
        while (goesOn) {
            try {
                Reference<?> next = QUEUE.remove(IDLE_MILLIS);
                if (next != null) {
                    end(next);
                } else {
                    goesOn = !mayEnd();
                }
            } catch (InterruptedException | RuntimeException | Error e) {
                // Nobody interrupts this thread; what failed is wiped, and the next one has its turn.
                Thread.yield();
            }
        }
    }

    /** Reports whether there is nothing left to look after; the next pool starts another thread then. */
    private static synchronized boolean mayEnd() {
        if (pools != null) {
            return false;
        }
        running = false;
        if (hook != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
                hook = null;
            } catch (IllegalStateException e) {
                // The JVM ends.
                return true;
            }
        }
        return true;
    }

    /** Ends what the collector has found by now. */
    static void collect() {
        for (Reference<?> each = QUEUE.poll(); each != null; each = QUEUE.poll()) {
            end(each);
        }
    }

    private static void end(Reference<?> reference) {
        if (reference instanceof Pool) {
            ((Pool) reference).close();
        } else {
            Slot slot = (Slot) reference;
            slot.slab.owner.closeLost(slot);
        }
    }
}
