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

    private static boolean started;
    private static boolean hooked;

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
    static Pool watch(SecretPool pool, Slabs slabs, boolean wipedAtExit) {
        start();
        Pool watched = new Pool(pool, slabs, wipedAtExit);
        add(watched);
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

    private static synchronized void start() {
        if (!started) {
            DaemonThread.of("pagelock-secrets", Reaper::run).start();
            started = true;
        }
    }

    /** Returns whether there is a hook at the end of the JVM, after making one if possible. */
    static synchronized boolean hook() {
        if (!hooked) {
            try {
                Runtime.getRuntime().addShutdownHook(DaemonThread.of("pagelock-secrets-exit", Reaper::wipeAll));
                hooked = true;
            } catch (IllegalStateException e) {
                // The JVM ends already.
                return false;
            }
        }
        return true;
    }

    private static synchronized void wipeAll() {
        for (Pool each = pools; each != null; each = each.next) {
            if (each.wipedAtExit) {
                each.slabs.wipe();
            }
        }
    }

    private static void run() {
        while (true) {
            try {
                end(QUEUE.remove());
            } catch (InterruptedException | RuntimeException | OutOfMemoryError e) {
                // Nobody interrupts this thread; what failed is wiped, and the next one has its turn.
                Thread.yield();
            }
        }
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
