// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import io.pagelock.ByteSize;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.Tristate;

/**
 * The memory of one pool. Does not know the pool, which may have been collected. A secret takes the smallest slot of a power of two
 * that holds it; a slab serves one size at a time, and any size once it is empty. What is larger than half a page has
 * pages of its own. The monitor is never held across a system call. What ends something needs no memory.
 */
final class Slabs {
    private static final int SMALLEST = 16;

    private static final int MOST_PAGES = 256;

    final Recipe recipe;
    private final long budget;
    /** Held while pages are made, so that many threads do not make a page each where one is enough. */
    private final Object growth = new Object();

    /** The first of all slabs. */
    private Slab all;
    /** The first of the empty ones. */
    private Slab spares;
    /** By the size of their slots, the first slab with a free one. */
    private final Slab[] partial = new Slab[Integer.SIZE];

    private long bytes;
    private long highWater;
    private long open;
    private long lost;
    private boolean closed;

    Slabs(Recipe recipe, long budget) {
        this.recipe = recipe;
        this.budget = budget;
    }

    /** Makes the first page, so that what is required is refused at once and what is kept is known. */
    Slabs open() {
        grow();
        return this;
    }

    Secret allocate(SecretPool pool, int size) {
        if (size > recipe.pageSize / 2) {
            return allocateLarge(pool, size);
        }
        int order = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(SMALLEST, size) - 1);
        while (true) {
            synchronized (this) {
                Secret secret = take(pool, size, order);
                if (secret != null) {
                    return secret;
                }
            }
            synchronized (growth) {
                boolean grows;
                synchronized (this) {
                    grows = partial[order] == null && spares == null;
                }
                if (grows) {
                    grow();
                }
            }
        }
    }

    /** Null if there is no free slot. */
    private Secret take(SecretPool pool, int size, int order) {
        requireOpen();
        Slab slab = partial[order];
        if (slab == null) {
            slab = spares;
            if (slab == null) {
                return null;
            }
            slab.divide(1 << order);
            Secret secret = slab.take(pool, size);
            spares = slab.next;
            link(slab, order);
            open++;
            return unlinkIfFull(slab, order, secret);
        }
        Secret secret = slab.take(pool, size);
        open++;
        return unlinkIfFull(slab, order, secret);
    }

    private Secret unlinkIfFull(Slab slab, int order, Secret secret) {
        if (slab.isFull()) {
            unlink(slab, order);
        }
        return secret;
    }

    private void add(Slab slab) {
        slab.after = all;
        if (all != null) {
            all.before = slab;
        }
        all = slab;
    }

    private void remove(Slab slab) {
        if (slab.before == null) {
            all = slab.after;
        } else {
            slab.before.after = slab.after;
        }
        if (slab.after != null) {
            slab.after.before = slab.before;
        }
        slab.before = null;
        slab.after = null;
    }

    private void spare(Slab slab) {
        slab.next = spares;
        spares = slab;
    }

    private void link(Slab slab, int order) {
        slab.previous = null;
        slab.next = partial[order];
        if (slab.next != null) {
            slab.next.previous = slab;
        }
        partial[order] = slab;
    }

    private void unlink(Slab slab, int order) {
        if (slab.previous == null) {
            partial[order] = slab.next;
        } else {
            slab.previous.next = slab.next;
        }
        if (slab.next != null) {
            slab.next.previous = slab.previous;
        }
        slab.previous = null;
        slab.next = null;
    }

    private Secret allocateLarge(SecretPool pool, int size) {
        long rounded = ((long) size + recipe.pageSize - 1) & -recipe.pageSize;
        // Guard pages must fit into one buffer besides.
        if (rounded > Integer.MAX_VALUE - 4L * recipe.pageSize) {
            throw new IllegalArgumentException("a secret of " + size + " bytes; the largest has "
                    + (Integer.MAX_VALUE - 4L * recipe.pageSize & -recipe.pageSize));
        }
        Slab slab = new Slab(this, 1);
        slab.pages = make(rounded);
        try {
            synchronized (this) {
                requireOpen();
                slab.divide((int) rounded);
                Secret secret = slab.take(pool, size);
                add(slab);
                open++;
                return secret;
            }
        } catch (Throwable failure) {
            release(slab);
            throw failure;
        }
    }

    /** Adds a page, or a sixteenth of what there is, so that a large pool does not use up the mappings of the process. */
    private void grow() {
        int pages;
        synchronized (this) {
            pages = (int) Math.min(MOST_PAGES, 1 + bytes / recipe.pageSize / 16);
        }
        if (pages > 1) {
            try {
                grow(pages);
                return;
            } catch (PageLockException e) {
                // A single page may still be had.
                pages = 1;
            }
        }
        grow(pages);
    }

    private void grow(int pages) {
        Slab slab = new Slab(this, Math.max(1, pages * (recipe.pageSize / SMALLEST)));
        slab.pages = make((long) pages * recipe.pageSize);
        try {
            synchronized (this) {
                requireOpen();
                add(slab);
                spare(slab);
            }
        } catch (Throwable failure) {
            release(slab);
            throw failure;
        }
    }

    private Pages make(long length) {
        reserve(length);
        try {
            return pages((int) length);
        } catch (PageLockException e) {
            unreserve(length);
            throw e.toBuilder()
                    .action("allocate a secret")
                    .detail(e.detail() + "; " + describe())
                    .build();
        } catch (Throwable failure) {
            unreserve(length);
            throw failure;
        }
    }

    /** Makes pages; where the system refuses, once more without those that no secret needs. */
    private Pages pages(int length) {
        try {
            Pages pages = new Pages(recipe, length);
            if (pages.failure(Protection.LOCKED) == null || !makeRoom()) {
                return pages;
            }
            pages.release();
        } catch (PageLockException e) {
            if (!makeRoom()) {
                throw e;
            }
        }
        return new Pages(recipe, length);
    }

    /** Gives back what nobody can reach any more, and empty pages. Returns whether there were any. */
    private boolean makeRoom() {
        long before = bytes();
        Reaper.collect();
        trim();
        return bytes() < before;
    }

    private synchronized long bytes() {
        return bytes;
    }

    private void reserve(long length) {
        if (!tryReserve(length)) {
            makeRoom();
            if (!tryReserve(length)) {
                throw PageLockException.because(Reason.OVER_LIMIT)
                        .action("allocate a secret")
                        .detail("asked for " + ByteSize.format(length) + " of pages; " + describe()
                                + "; limit of locked memory: soft "
                                + recipe.locker.limits().all().get(0).soft())
                        .remedies("Close secrets", "Raise the budget of the pool")
                        .build();
            }
        }
    }

    private synchronized boolean tryReserve(long length) {
        requireOpen();
        if (length > budget - bytes) {
            return false;
        }
        bytes += length;
        highWater = Math.max(highWater, bytes);
        return true;
    }

    private synchronized void unreserve(long length) {
        bytes -= length;
    }

    private synchronized String describe() {
        return "the pool's budget is "
                + (budget == Long.MAX_VALUE ? "unlimited" : ByteSize.format(budget)) + ", " + ByteSize.format(bytes)
                + " of it are used for " + open + (open == 1 ? " secret" : " secrets") + " (at most "
                + ByteSize.format(highWater) + " were)";
    }

    private synchronized void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the pool of secrets is closed");
        }
    }

    void close(Slot slot, Secret by) {
        if (slot.close(by)) {
            giveBack(slot, false);
        }
    }

    /** Closes a slot whose secret nobody can reach. */
    void closeLost(Slot slot) {
        if (slot.close(null)) {
            giveBack(slot, true);
        }
    }

    private void giveBack(Slot slot, boolean isLost) {
        Slab slab = slot.slab;
        synchronized (this) {
            open--;
            lost += isLost ? 1 : 0;
            if (closed) {
                return;
            }
            boolean large = slab.slotSize() > recipe.pageSize / 2;
            int order = Integer.numberOfTrailingZeros(slab.slotSize());
            boolean wasFull = slab.isFull();
            slab.giveBack(slot);
            if (!large) {
                if (slab.used() == 0) {
                    if (!wasFull) {
                        unlink(slab, order);
                    }
                    spare(slab);
                } else if (wasFull) {
                    link(slab, order);
                }
                return;
            }
            remove(slab);
        }
        release(slab);
    }

    private void release(Slab slab) {
        slab.pages.release();
        unreserve(slab.pages.length());
    }

    /** Gives empty pages back to the system. */
    void trim() {
        Slab empty;
        synchronized (this) {
            empty = spares;
            spares = null;
            for (Slab each = empty; each != null; each = each.next) {
                remove(each);
            }
        }
        for (Slab each = empty; each != null; each = each.next) {
            release(each);
        }
    }

    /** Ends the pool and wipes every secret; later uses are refused. The memory stays. */
    synchronized void wipe() {
        closed = true;
        for (Slab each = all; each != null; each = each.after) {
            open -= each.wipe();
        }
    }

    /** Wipes everything and gives all memory back. */
    void close() {
        Slab slabs;
        synchronized (this) {
            wipe();
            slabs = all;
            all = null;
            spares = null;
        }
        for (Slab each = slabs; each != null; each = each.after) {
            release(each);
        }
    }

    /** Yes if every page keeps it, no if one does not, unknown if there is no page. */
    synchronized Tristate kept(Protection protection) {
        Tristate kept = all == null ? Tristate.UNKNOWN : Tristate.YES;
        for (Slab each = all; each != null; each = each.after) {
            kept = each.pages.keeps(protection) ? kept : Tristate.NO;
        }
        return kept;
    }

    synchronized String failure(Protection protection) {
        String why = null;
        for (Slab each = all; each != null && why == null; each = each.after) {
            why = each.pages.failure(protection);
        }
        return why;
    }

    synchronized PoolStatistics statistics() {
        return new PoolStatistics(open, bytes, budget, highWater, lost);
    }
}
