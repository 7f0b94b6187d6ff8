// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.spi.Unsigned;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** What the begin, the end or the weakening of an address-space lock takes: keeping the pages of all handles locked. */
final class Renewal {
    private final RangeLocks ranges;
    private final LockTable table;
    private final RangeCalls calls;

    Renewal(RangeLocks ranges) {
        this.ranges = ranges;
        table = ranges.table();
        calls = ranges.calls();
    }

    /**
     * From now on pages stay locked when handles close. Returns when no unlock is under way.
     *
     * @param fully whether current memory will be locked, and not on fault
     */
    void cover(boolean fully) {
        synchronized (table) {
            table.cover(fully);
        }
    }

    /** Undoes {@link #cover} for an address-space lock that failed and left nothing behind. */
    void uncover() {
        synchronized (table) {
            table.uncover();
        }
        ranges.sweep();
    }

    /**
     * Lets the kernel drop every lock and locks the pages of all handles again, also if what comes between fails.
     *
     * @param drop does so, given the aligned ranges that should better stay locked; if the system refuses, the locks are as
     *     they were or weaker
     * @param renew locks for the address-space locks that are open afterwards, or null if there is none
     * @return the refusals to lock pages of a handle again; those handles are not valid any more
     */
    List<PageLockException> dropAll(Consumer<List<MemoryRange>> drop, Runnable renew) {
        return dropAll(drop, renew, true);
    }

    /** Lets the kernel drop every lock, unless there is a handle or a lock under way. */
    void dropAllUnlessHeld(Consumer<List<MemoryRange>> drop) {
        dropAll(drop, null, false);
    }

    private List<PageLockException> dropAll(Consumer<List<MemoryRange>> drop, Runnable renew, boolean evenIfHeld) {
        List<MemoryRange> keep;
        Call renewal;
        synchronized (table) {
            if (!evenIfHeld && table.holds.count() > 0) {
                return Collections.emptyList();
            }
            table.beginExclusive();
            try {
                keep = table.held().toRanges();
                renewal = table.planRenewal();
            } catch (Error e) {
                table.endExclusive();
                throw e;
            }
        }
        boolean dropped = false;
        Throwable failure = null;
        try {
            drop.accept(keep);
            dropped = true;
            if (renew != null) {
                renew.run();
            }
        } catch (RuntimeException | Error e) {
            failure = e;
            dropped |= !(e instanceof PageLockException);
        }
        synchronized (table) {
            table.endExclusive(renewal, failure == null && renew == null);
        }
        List<PageLockException> refused = carryOut(renewal, dropped);
        if (failure != null) {
            for (PageLockException each : refused) {
                RangeLocks.suppress(failure, each);
            }
            rethrow(failure);
        }
        return refused;
    }

    /**
     * Lets the kernel lock everything on fault and locks the pages of all handles again: on Linux that call weakens full locks,
     * and one that is paging in just then stops and reports success. So no lock may end until it knows that it must ask once
     * more. A refusal to lock again leaves the lock as weak as it is.
     */
    void weakenAll(Runnable weaken) {
        Call renewal;
        synchronized (table) {
            table.beginExclusive();
            try {
                renewal = table.planRenewal();
            } catch (Error e) {
                table.endExclusive();
                throw e;
            }
        }
        Throwable failure = null;
        try {
            weaken.run();
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        synchronized (table) {
            table.endExclusive(renewal, false);
        }
        carryOut(renewal, false);
        if (failure != null) {
            rethrow(failure);
        }
    }

    private static void rethrow(Throwable failure) {
        if (failure instanceof Error) {
            throw (Error) failure;
        }
        throw (RuntimeException) failure;
    }

    /** Locks every part and ends it, as a handle would: if all holders close meanwhile, the end unlocks. Throws nothing. */
    private List<PageLockException> carryOut(Call renewal, boolean dropped) {
        Refusals refusals = new Refusals(renewal.epoch, dropped);
        for (; renewal.part < renewal.count(); renewal.part++) {
            Span part = renewal.span(renewal.part);
            long start = part.start;
            long end = part.end;
            try {
                calls.renewAroundHoles(start, end, renewal.isOnFault(renewal.part), refusals);
            } catch (Error e) {
                refusals.lose(start, end);
            }
            ranges.endPart(renewal);
        }
        refusals.settle();
        return refusals.all();
    }

    /** Collects what could not be locked again. */
    private final class Refusals implements BiConsumer<MemoryRange, Throwable> {
        private final int epoch;
        private final List<PageLockException> all = new ArrayList<>();
        private Parts lost = new Parts();
        private long lostTo;
        private final boolean dropped;

        Refusals(int epoch, boolean dropped) {
            this.epoch = epoch;
            this.dropped = dropped;
        }

        @Override
        public void accept(MemoryRange range, Throwable refusal) {
            lose(range.address(), range.end());
            if (refusal instanceof PageLockException) {
                all.add((PageLockException) refusal);
            }
        }

        void lose(long start, long end) {
            if (!dropped) {
                return;
            }
            if (Unsigned.less(start, lostTo)) {
                settle();
            }
            try {
                lost.add(start, end);
                lostTo = end;
            } catch (OutOfMemoryError e) {
                synchronized (table) {
                    table.holds.lose(start, end, epoch);
                }
            }
        }

        /** Marks the holds; all at once, since each time looks at every hold. */
        void settle() {
            if (lost.isEmpty()) {
                return;
            }
            synchronized (table) {
                table.holds.lose(lost, epoch);
            }
            lost.clear();
        }

        List<PageLockException> all() {
            return all;
        }
    }
}
