// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;
import static io.pagelock.spi.Unsigned.max;
import static io.pagelock.spi.Unsigned.min;

import java.util.Arrays;
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

    /** A leaf with intervals, or an inner node with children. Only the root may be empty. */
    private static final class Node {
        /** Where intervals start; of an inner node, a bound below all that is in a child, meaningless for the first child. */
        private final long[] starts;

        private final long[] ends;
        private final int[] full;
        private final int[] onFault;
        private final Node[] children;
        private int size;

        private Node(int capacity, boolean isLeaf) {
            starts = new long[capacity];
            ends = isLeaf ? new long[capacity] : null;
            full = isLeaf ? new int[capacity] : null;
            onFault = isLeaf ? new int[capacity] : null;
            children = isLeaf ? null : new Node[capacity];
        }

        private boolean isLeaf() {
            return children == null;
        }

        private boolean isFull() {
            return size == starts.length;
        }

        /** The last entry that starts at the address or before; -1 if there is none. */
        private int indexOf(long at) {
            int low = 0;
            int high = size;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (less(at, starts[middle])) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            return low - 1;
        }

        private int childFor(long at) {
            return Math.max(0, indexOf(at));
        }

        private Node lastChild() {
            return children[size - 1];
        }

        private void put(int at, long start, long end, int fullCount, int onFaultCount) {
            move(this, at, this, at + 1, size - at);
            starts[at] = start;
            ends[at] = end;
            full[at] = fullCount;
            onFault[at] = onFaultCount;
            size++;
        }

        private void put(int at, long bound, Node child) {
            move(this, at, this, at + 1, size - at);
            starts[at] = bound;
            children[at] = child;
            size++;
        }

        private void take(int at) {
            move(this, at + 1, this, at, size - at - 1);
            size--;
            if (!isLeaf()) {
                children[size] = null;
            }
        }

        private static void move(Node from, int at, Node to, int place, int count) {
            System.arraycopy(from.starts, at, to.starts, place, count);
            if (from.isLeaf()) {
                System.arraycopy(from.ends, at, to.ends, place, count);
                System.arraycopy(from.full, at, to.full, place, count);
                System.arraycopy(from.onFault, at, to.onFault, place, count);
            } else {
                System.arraycopy(from.children, at, to.children, place, count);
            }
        }

        /** Makes two of a full child, to make room for the address. What is added in ascending order fills its nodes. */
        private void splitChild(int at, long added) {
            Node child = children[at];
            int kept = less(child.starts[child.size - 1], added) ? child.size - 1 : child.size / 2;
            Node upper = new Node(starts.length, child.isLeaf());
            upper.size = child.size - kept;
            move(child, kept, upper, 0, upper.size);
            child.size = kept;
            if (!child.isLeaf()) {
                Arrays.fill(child.children, kept, starts.length, null);
            }
            put(at + 1, upper.starts[0], upper);
        }

        /** Drops a child that is empty, and joins one to its neighbour if both together leave room for as much again. */
        private void tidyChild(int at) {
            if (children[at].size == 0) {
                take(at);
            } else if (at + 1 < size && mayJoin(at)) {
                joinChild(at);
            } else if (at > 0 && mayJoin(at - 1)) {
                joinChild(at - 1);
            }
        }

        private boolean mayJoin(int at) {
            return children[at].size + children[at + 1].size <= starts.length / 2;
        }

        private void joinChild(int at) {
            Node lower = children[at];
            Node upper = children[at + 1];
            if (!upper.isLeaf()) {
                upper.starts[0] = starts[at + 1];
            }
            move(upper, 0, lower, lower.size, upper.size);
            lower.size += upper.size;
            // A leaf that the last search ended at must not be taken for one of the tree.
            upper.size = 0;
            take(at + 1);
        }
    }

    private static final int CAPACITY = 32;

    private final LongPredicate pinned;
    private final int capacity;
    private Node root;
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
        root = new Node(capacity, true);
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
        private Node leaf = root;

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

        private Node leafOfFloor(long at) {
            Node node = root;
            Node before = null;
            while (!node.isLeaf()) {
                int child = node.childFor(at);
                before = child > 0 ? node.children[child - 1] : before;
                node = node.children[child];
            }
            return before != null && less(at, node.starts[0]) ? lastLeaf(before) : node;
        }

        /** Finds the first one that starts at the address or after. */
        private boolean ceiling(long at) {
            Node node = root;
            Node after = null;
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
                node = firstLeaf(after);
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

    private static Node firstLeaf(Node node) {
        return node.isLeaf() ? node : firstLeaf(node.children[0]);
    }

    private static Node lastLeaf(Node node) {
        return node.isLeaf() ? node : lastLeaf(node.lastChild());
    }

    /** Inserts an interval behind what {@link Cursor#floor} has found here. An error here has split nodes at most. */
    private void insert(long start, long end, int full, int onFault) {
        // At the end of a leaf it may belong to the next one.
        if (here.leaf.isFull() || here.index + 1 >= here.leaf.size) {
            Node leaf = leafWithRoom(start);
            here.leaf = leaf;
            here.index = leaf.indexOf(start);
        }
        here.index++;
        here.leaf.put(here.index, start, end, full, onFault);
    }

    /** The leaf that the address belongs into. Full nodes are split on the way down, so that their parents have room. */
    private Node leafWithRoom(long start) {
        if (root.isFull()) {
            Node up = new Node(capacity, false);
            up.put(0, root.starts[0], root);
            up.splitChild(0, start);
            root = up;
        }
        Node node = root;
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
        delete(root, here.start());
        while (!root.isLeaf() && root.size == 1) {
            root = root.children[0];
        }
    }

    private static void delete(Node node, long start) {
        if (node.isLeaf()) {
            node.take(node.indexOf(start));
            return;
        }
        int child = node.childFor(start);
        delete(node.children[child], start);
        node.tidyChild(child);
    }
}
