// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

/**
 * Decides which leftovers are tried again, and when: a few at each close, in turn, and ever more rarely while the kernel refuses all
 * of them. One sweep runs at a time. Guarded by the monitor of {@link LockTable}; needs no memory.
 */
final class Sweep {
    /** How many leftovers one sweep tries, so that a close stays quick however many there are. */
    private static final int MOST_TRIES = 16;
    /** How many intervals one sweep looks at. */
    private static final int MOST_LOOKS = 256;
    /** So many sweeps in a row may fail before the next ones are put off. */
    private static final int FAILURES_AT_ONCE = 4;

    private static final int LONGEST_PAUSE = 1 << 16;

    private final LockTable table;
    private final IntervalCounts.Cursor look;
    private final MappingRoom mappings;

    private boolean isRunning;
    private long from;
    private int looks;
    private int tries;
    private boolean hasUnlocked;
    private int failures;
    /** How many closes pass by before the next sweep. */
    private int pause;

    Sweep(LockTable table, IntervalCounts.Cursor look, MappingRoom mappings) {
        this.table = table;
        this.look = look;
        this.mappings = mappings;
    }

    /** Begins a sweep; false if there is nothing to do, or not now. */
    boolean begin() {
        assert Thread.holdsLock(table);
        if (isRunning || table.keepsLeftovers() || table.leftoverBytes() == 0) {
            return false;
        }
        if (pause > 0) {
            pause--;
            return false;
        }
        isRunning = true;
        looks = 0;
        tries = 0;
        hasUnlocked = false;
        return true;
    }

    /** Lets the next sweep begin at once. */
    void soon() {
        assert Thread.holdsLock(table);
        pause = 0;
    }

    /** Advances to the next leftover, which is then under way; false if the sweep has done enough. */
    boolean next(Call sweep) {
        assert Thread.holdsLock(table);
        if (table.keepsLeftovers()) {
            return false;
        }
        boolean more = look.firstEndingAfter(from);
        for (; looks < MOST_LOOKS && tries < MOST_TRIES; looks++) {
            if (!more) {
                from = 0;
                return false;
            }
            from = look.end();
            if (look.isLeftover() && isTried(sweep)) {
                return true;
            }
            more = look.next();
        }
        return false;
    }

    private boolean isTried(Call sweep) {
        Span piece = sweep.piece();
        piece.start = look.start();
        piece.end = look.end();
        tries++;
        if (!mappings.takeToUnlock(sweep, piece.start, piece.end, false)) {
            return false;
        }
        table.beginUnlock(piece);
        return true;
    }

    void settle(Call sweep, boolean done) {
        assert Thread.holdsLock(table);
        hasUnlocked |= done;
        if (done) {
            mappings.giveBack(sweep);
        }
        table.endUnlock(sweep.piece(), done);
    }

    /**
     * Ends a sweep. If nothing could be unlocked a few times in a row, the next ones come later and later.
     *
     * @return whether it found nothing to try and has not looked everywhere
     */
    boolean end() {
        assert Thread.holdsLock(table);
        isRunning = false;
        if (hasUnlocked) {
            failures = 0;
        } else if (tries > 0 && ++failures > FAILURES_AT_ONCE) {
            pause = Math.min(LONGEST_PAUSE, 1 << Math.min(16, failures - FAILURES_AT_ONCE));
        }
        return tries == 0 && from != 0;
    }
}
