// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;
import static io.pagelock.spi.Unsigned.max;
import static io.pagelock.spi.Unsigned.min;

import java.util.function.LongPredicate;

/**
 * Counts, for every address, how many holders it has, by interval: neighbouring addresses with equal counts share one
 * entry, so that a range costs the same whatever its length. An interval without holders is a leftover, which the kernel may
 * still have locked. A B+ tree with unsigned keys: among a million entries, a search touches few places in memory. Not safe
 * for several threads.
 *
 * <p>Only {@link #reserve} needs memory, and leaves everything as it was when it gets none. The other changes ask for ranges
 * whose edges are boundaries: those of a reserved range are, for as long as they are pinned.
 */
final class IntervalCounts {
    /** In place of the number of full holders: there are no holders, and the kernel may still have the interval locked. */
    private static final int LEFTOVER = -1;

    private static final int CAPACITY = 32;

    private final LongPredicate pinned;
    private final int capacity;
    private IntervalNode root;
    private long heldBytes;
    private long leftoverBytes;
    /** Where the last change or question was; the next one is often at the same place. */
    private final Cursor here;

    /**
     * Starts without holders.
     *
     * @param pinned tells for an address whether the intervals on both sides must stay apart although their counts are equal
     */
    IntervalCounts(LongPredicate pinned) {
        this(pinned, CAPACITY);
    }

    /** With nodes of another size, at least 4. */
    IntervalCounts(LongPredicate pinned, int capacity) {
        this.pinned = pinned;
        this.capacity = capacity;
        root = new IntervalNode(capacity, true);
        here = new Cursor();
    }

    /** Returns the number of bytes that have holders. */
    long heldBytes() {
        return heldBytes;
    }

    long leftoverBytes() {
        return leftoverBytes;
    }

    /** Makes room for one more holder of the range: its edges become boundaries, and its gaps intervals without holders. */
    void reserve(long start, long end) {
        if (!here.floor(end) || less(here.end(), start)) {
            // Overlaps and touches nothing, as most ranges do.
            insert(start, end, 0, 0);
            return;
        }
        if (here.isAt(start, end)) {
            return;
        }
        try {
            split(start);
            split(end);
            fillGaps(start, end);
        } catch (Error e) {
            release(start, end);
            throw e;
        }
    }

    /** Undoes {@link #reserve}. */
    void release(long start, long end) {
        deleteEmpty(start, end);
        join(start);
        join(end);
    }

    /**
     * Adds one holder to every address of a reserved range, whose leftovers end.
     *
     * @return whether no address had one, or was a leftover
     */
    boolean add(long start, long end, boolean isOnFault) {
        boolean alone = true;
        boolean takesOver = false;
        for (boolean more = here.floor(start); more && less(here.start(), end); more = here.next()) {
            if (here.isLeftover()) {
                takesOver = true;
                alone = false;
                here.set(0, 0);
                leftoverBytes -= here.length();
            }
            if (here.count() == 0) {
                heldBytes += here.length();
            } else {
                alone = false;
            }
            here.change(isOnFault, 1);
        }
        if (takesOver) {
            joinWithin(start, end);
        }
        return alone;
    }

    /**
     * Removes one holder from every address of a range; each must have one of that kind.
     *
     * @param leave whether what has no other holder becomes a leftover
     */
    void remove(long start, long end, boolean isOnFault, boolean leave) {
        if (here.floor(start) && here.isAt(start, end) && here.count() == 1 && !leave) {
            heldBytes -= end - start;
            delete();
            return;
        }
        for (boolean more = here.floor(start); more && less(here.start(), end); more = here.next()) {
            here.change(isOnFault, -1);
            if (here.count() == 0) {
                heldBytes -= here.length();
                if (leave) {
                    here.set(LEFTOVER, 0);
                    leftoverBytes += here.length();
                }
            }
        }
        deleteEmpty(start, end);
        join(start);
        join(end);
    }

    /** Forgets the leftovers of a range whose edges are boundaries. */
    void removeLeftovers(long start, long end) {
        for (boolean more = here.ceiling(start); more && less(here.start(), end); more = here.next()) {
            if (here.isLeftover()) {
                here.set(0, 0);
                leftoverBytes -= here.length();
            }
        }
        deleteEmpty(start, end);
    }

    /** Joins the intervals on both sides of an address that is not pinned any more. */
    void unpin(long at) {
        join(at);
    }

    /** Reports whether an address of the range has a holder. */
    boolean isHeld(long start, long end) {
        for (boolean more = here.firstEndingAfter(start); more && less(here.start(), end); more = here.next()) {
            if (here.count() > 0) {
                return true;
            }
        }
        return false;
    }

    Cursor cursor() {
        return new Cursor();
    }

    /** Returns where the last change was. */
    Cursor last() {
        return here;
    }

    private void fillGaps(long start, long end) {
        long at = start;
        while (less(at, end)) {
            boolean found = here.ceiling(at);
            long gapEnd = found ? min(here.start(), end) : end;
            long next = found ? max(here.end(), gapEnd) : end;
            if (less(at, gapEnd)) {
                here.floor(at);
                insert(at, gapEnd, 0, 0);
            }
            at = next;
        }
    }

    private void deleteEmpty(long start, long end) {
        for (boolean more = here.ceiling(start); more && less(here.start(), end); ) {
            long next = here.end();
            if (here.count() == 0 && !here.isLeftover()) {
                delete();
            }
            more = here.ceiling(next);
        }
    }

    /** Makes the address a boundary if it lies within an interval. */
    private void split(long at) {
        if (here.floor(at) && here.start() != at && less(at, here.end())) {
            insert(at, here.end(), here.full(), here.onFault());
            here.floor(at - 1);
            here.setEnd(at);
        }
    }

    /** Joins what lies between the edges of a range. */
    private void joinWithin(long start, long end) {
        for (boolean more = here.ceiling(start + 1); more && less(here.start(), end); ) {
            long next = here.end();
            join(here.start());
            more = here.ceiling(next);
        }
    }

    /**
     * Joins the interval that starts at the address to the one that ends there, if their counts are equal and the length
     * stays a positive number.
     */
    private void join(long at) {
        if (!here.floor(at) || here.start() != at || pinned.test(at)) {
            return;
        }
        long end = here.end();
        int full = here.full();
        int onFault = here.onFault();
        if (here.floor(at - 1)
                && here.end() == at
                && here.full() == full
                && here.onFault() == onFault
                && end - here.start() > 0) {
            here.floor(at);
            delete();
            here.floor(at - 1);
            here.setEnd(end);
        }
    }

    /** A place among the intervals. Its searches report whether they have found an interval, which a change may move. */
    final class Cursor {
        /** In the tree, or empty. */
        private IntervalNode leaf = root;

        private int index;

        private Cursor() {}

        /** Begins the next search where another one has ended. */
        void moveTo(Cursor other) {
            leaf = other.leaf;
            index = other.index;
        }

        long start() {
            return leaf.starts[index];
        }

        long end() {
            return leaf.ends[index];
        }

        long length() {
            return end() - start();
        }

        int full() {
            return leaf.full[index];
        }

        int onFault() {
            return leaf.onFault[index];
        }

        int count() {
            return isLeftover() ? 0 : full() + onFault();
        }

        boolean isLeftover() {
            return full() == LEFTOVER;
        }

        private boolean isAt(long start, long end) {
            return start() == start && end() == end;
        }

        private void change(boolean isOnFault, int by) {
            int[] counts = isOnFault ? leaf.onFault : leaf.full;
            counts[index] += by;
        }

        private void set(int full, int onFault) {
            leaf.full[index] = full;
            leaf.onFault[index] = onFault;
        }

        private void setEnd(long end) {
            leaf.ends[index] = end;
        }

        /** Finds the last one that starts at the address or before. If there is none, the place is before the first one. */
        private boolean floor(long at) {
            if (isNear(at)) {
                return true;
            }
            if (leaf.size == 0 || less(at, leaf.starts[0]) || !less(at, leaf.ends[leaf.size - 1])) {
                leaf = leafOfFloor(at);
            }
            index = leaf.indexOf(at);
            return index >= 0;
        }

        /** Moves to the last one that starts at the address or before, if that is here or the one before. */
        private boolean isNear(long at) {
            if (index < 0 || index >= leaf.size) {
                return false;
            }
            if (less(at, start())) {
                boolean isBefore = index > 0 && !less(at, leaf.starts[index - 1]);
                index -= isBefore ? 1 : 0;
                return isBefore;
            }
            return less(at, index + 1 < leaf.size ? leaf.starts[index + 1] : end());
        }

        private IntervalNode leafOfFloor(long at) {
            IntervalNode node = root;
            IntervalNode before = null;
            while (!node.isLeaf()) {
                int child = node.childFor(at);
                before = child > 0 ? node.children[child - 1] : before;
                node = node.children[child];
            }
            return before != null && less(at, node.starts[0]) ? before.lastLeaf() : node;
        }

        /** Finds the first one that starts at the address or after. */
        private boolean ceiling(long at) {
            IntervalNode node = root;
            IntervalNode after = null;
            while (!node.isLeaf()) {
                int child = node.childFor(at);
                after = child + 1 < node.size ? node.children[child + 1] : after;
                node = node.children[child];
            }
            int place = node.indexOf(at);
            if (place < 0 || node.starts[place] != at) {
                place++;
            }
            if (place == node.size && after != null) {
                node = after.firstLeaf();
                place = 0;
            }
            leaf = node;
            index = place;
            return place < node.size;
        }

        /** Finds the first one that ends after the address. */
        boolean firstEndingAfter(long at) {
            return floor(at) && less(at, end()) || ceiling(at);
        }

        boolean next() {
            if (index + 1 < leaf.size) {
                index++;
                return true;
            }
            return ceiling(end());
        }
    }

    /** Inserts an interval behind what {@link Cursor#floor} has found here. An error here has split nodes at most. */
    private void insert(long start, long end, int full, int onFault) {
        // At the end of a leaf it may belong to the next one.
        if (here.leaf.isFull() || here.index + 1 >= here.leaf.size) {
            IntervalNode leaf = leafWithRoom(start);
            here.leaf = leaf;
            here.index = leaf.indexOf(start);
        }
        here.index++;
        here.leaf.put(here.index, start, end, full, onFault);
    }

    /** The leaf that the address belongs into. Full nodes are split on the way down, so that their parents have room. */
    private IntervalNode leafWithRoom(long start) {
        if (root.isFull()) {
            IntervalNode up = new IntervalNode(capacity, false);
            up.put(0, root.starts[0], root);
            up.splitChild(0, start);
            root = up;
        }
        IntervalNode node = root;
        while (!node.isLeaf()) {
            int child = node.childFor(start);
            if (node.children[child].isFull()) {
                node.splitChild(child, start);
                child = node.childFor(start);
            }
            node = node.children[child];
        }
        return node;
    }

    /** Deletes what the last search here has found. */
    private void delete() {
        if (here.leaf == root || here.leaf.size > capacity / 4) {
            here.leaf.take(here.index);
            return;
        }
        root.delete(here.start());
        while (!root.isLeaf() && root.size == 1) {
            root = root.children[0];
        }
    }
}
