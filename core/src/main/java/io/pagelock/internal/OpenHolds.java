// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.util.ArrayList;
import java.util.List;

/** Lists the holds that are counted. Guarded by the monitor of {@link LockTable}; all but {@link #lost} needs no memory. */
final class OpenHolds {
    private final LockTable monitor;
    private Hold first;
    private long count;

    OpenHolds(LockTable monitor) {
        this.monitor = monitor;
    }

    void put(Hold hold) {
        assert Thread.holdsLock(monitor);
        hold.next = first;
        if (first != null) {
            first.previous = hold;
        }
        first = hold;
        count++;
    }

    void take(Hold hold) {
        assert Thread.holdsLock(monitor);
        if (hold.previous == null) {
            first = hold.next;
        } else {
            hold.previous.next = hold.next;
        }
        if (hold.next != null) {
            hold.next.previous = hold.previous;
        }
        hold.previous = null;
        hold.next = null;
        count--;
    }

    long count() {
        assert Thread.holdsLock(monitor);
        return count;
    }

    /** Returns the sizes of the holds that lost pages. */
    List<Long> lost() {
        assert Thread.holdsLock(monitor);
        List<Long> sizes = new ArrayList<>();
        for (Hold hold = first; hold != null; hold = hold.next) {
            if (hold.lost) {
                sizes.add(hold.bytes());
            }
        }
        return sizes;
    }

    /** Marks the holds that lost pages; one that began in the given epoch or later has lost nothing. */
    void lose(long start, long end, int before) {
        assert Thread.holdsLock(monitor);
        for (Hold hold = first; hold != null; hold = hold.next) {
            hold.lost |= hold.epoch - before < 0 && hold.overlaps(start, end);
        }
    }

    /** Marks the holds that lost pages of several ranges. */
    void lose(Parts lost, int before) {
        assert Thread.holdsLock(monitor);
        for (Hold hold = first; hold != null; hold = hold.next) {
            if (hold.epoch - before < 0 && !hold.lost) {
                hold.lost = lost.overlaps(hold);
            }
        }
    }
}
