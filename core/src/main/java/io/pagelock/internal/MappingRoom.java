// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;

/**
 * Counts how many more mappings the kernel may need for locks and unlocks before {@link MappingReserve} must count them again: a
 * locked range between unlocked ones takes two more than it had, and so does an unlocked one between locked ones. Guarded by the
 * monitor of {@link LockTable}; needs no memory.
 */
final class MappingRoom {
    // How the kernel has a page locked: mappings of different modes do not join.
    private static final int UNLOCKED = 0;
    private static final int FULL = 1;
    private static final int ON_FAULT = 2;

    private static final long UNLIMITED = Long.MAX_VALUE;

    private final LockTable monitor;
    private final IntervalCounts.Cursor look;
    private long room = UNLIMITED;

    MappingRoom(LockTable monitor, IntervalCounts.Cursor look) {
        this.monitor = monitor;
        this.look = look;
    }

    void set(long mappings) {
        assert Thread.holdsLock(monitor);
        room = mappings;
    }

    /** Reports whether the kernel may lack the mappings for a lock, unless they are counted again. */
    boolean lacks(Call call) {
        assert Thread.holdsLock(monitor);
        return room < 2L * call.count() && room < toLock(call);
    }

    /** Reports whether the kernel may lack the mappings for the unlock of one range. */
    boolean lacksAny() {
        assert Thread.holdsLock(monitor);
        return room < 2;
    }

    /** Takes the mappings that a lock needs, before its pages are counted. */
    void takeToLock(Call call) {
        assert Thread.holdsLock(monitor);
        take(toLock(call));
    }

    /** Takes the mappings for a lock of memory where others hold pages, and which is not locked; false if there are none. */
    boolean takeToLock(Parts unlocked) {
        long needed = 2L * unlocked.count();
        synchronized (monitor) {
            boolean isThere = needed <= room;
            take(isThere ? needed : 0);
            return isThere;
        }
    }

    /**
     * Takes the mappings that an unlock needs, if there are any. Those that it frees are given back when it is done.
     *
     * @param isHeld whether others hold the pages, so that they count as locked before and afterwards
     */
    boolean takeToUnlock(Call call, long from, long to, boolean isHeld) {
        assert Thread.holdsLock(monitor);
        long needed = room == UNLIMITED ? 0 : toUnlock(from, to, modeAt(from));
        if (needed > 0 && (needed > room || call.noMoreSplits)) {
            return false;
        }
        take(Math.max(0, needed));
        call.mappingsFreed = isHeld ? 0 : Math.max(0, -needed);
        return true;
    }

    void giveBack(Call call) {
        assert Thread.holdsLock(monitor);
        take(-call.mappingsFreed);
    }

    private void take(long mappings) {
        room -= room == UNLIMITED ? 0 : mappings;
    }

    private long toLock(Call call) {
        long needed = 0;
        for (int i = 0; room != UNLIMITED && i < call.count(); i++) {
            Span part = call.span(i);
            int mode = call.isOnFault(i) ? ON_FAULT : FULL;
            boolean isFree = !look.firstEndingAfter(part.start)
                    || !less(look.start(), part.end)
                    || look.count() == 0 && !look.isLeftover() && look.end() == part.end;
            if (isFree) {
                needed -= toUnlock(part.start, part.end, mode);
            } else {
                boolean isWithin = !less(part.start, look.start()) && !less(look.end(), part.end);
                needed += isWithin && (mode == ON_FAULT || modeOfLook() == FULL) ? 0 : 2;
            }
        }
        return needed;
    }

    /** Each side has an edge of mappings now if the neighbour's mode differs, and afterwards if the neighbour is locked. */
    private long toUnlock(long from, long to, int mode) {
        int before = modeAt(from - 1);
        int after = modeAt(to);
        return (before == UNLOCKED ? 0 : 1)
                - (before == mode ? 0 : 1)
                + (after == UNLOCKED ? 0 : 1)
                - (after == mode ? 0 : 1);
    }

    private int modeAt(long at) {
        return look.firstEndingAfter(at) && !less(at, look.start()) ? modeOfLook() : UNLOCKED;
    }

    private int modeOfLook() {
        return look.isLeftover() || look.full() > 0 ? FULL : look.onFault() > 0 ? ON_FAULT : UNLOCKED;
    }
}
