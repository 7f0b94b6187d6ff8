// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.util.Arrays;

/**
 * Counts, for every address, how many holders it has, by interval: neighbouring addresses with equal counts share one
 * entry, so that a range costs the same whatever its length. A B+ tree with unsigned keys: among a million entries, a search
 * touches few places in memory. Not safe for several threads.
 *
 * <p>A method that runs out of memory leaves the counts as they were. After {@link #prepare} of a range, and until something
 * else changes its edges, the methods that only take away need no memory.
 */
final class IntervalCounts {
    /** Receives intervals in ascending order. */
    interface Visitor {
        void visit(long start, long end, int full, int onFault);
    }

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

    private final boolean joins;
    private final int capacity;
    private Node root;
    private long bytes;

    // Where the last search ended; the next one is often for the same place. The leaf is in the tree or empty.
    private Node leaf;
    private int index;

    /**
     * Starts without holders.
     *
     * @param joins whether neighbours with equal counts become one; if not, what was added can be removed without memory
     */
    IntervalCounts(boolean joins) {
        this(joins, CAPACITY);
    }

    /** With nodes of another size, at least 4. */
    IntervalCounts(boolean joins, int capacity) {
        this.joins = joins;
        this.capacity = capacity;
        root = new Node(capacity, true);
        leaf = root;
    }

    /** The number of bytes with a count above zero. */
    long bytes() {
        return bytes;
    }

    boolean isEmpty() {
        return root.size == 0;
    }

    void clear() {
        root = firstLeaf(root);
        root.size = 0;
        leaf = root;
        bytes = 0;
    }

    /** Adds one holder to every address of the range. */
    void add(long start, long end, boolean isOnFault) {
        if (!floor(end) || less(end(), start)) {
            // Overlaps and touches nothing, as most ranges do.
            insert(start, end, isOnFault ? 0 : 1, isOnFault ? 1 : 0);
            bytes += end - start;
            return;
        }
        if (isAt(start, end)) {
            change(isOnFault, 1);
            merge(start);
            return;
        }
        split(start);
        split(end);
        try {
            fillGaps(start, end);
        } catch (Error e) {
            removeZeros(start, end);
            throw e;
        }
        for (boolean more = floor(start); more && less(start(), end); more = next()) {
            if (count() == 0) {
                bytes += end() - start();
            }
            change(isOnFault, 1);
        }
        merge(start);
        merge(end);
    }

    /** Removes one holder from every address of the range; each must have one of that kind. */
    void remove(long start, long end, boolean isOnFault) {
        if (floor(start) && isAt(start, end)) {
            change(isOnFault, -1);
            if (count() == 0) {
                bytes -= end - start;
                delete();
            } else {
                merge(start);
                merge(end);
            }
            return;
        }
        split(start);
        split(end);
        for (boolean more = floor(start); more && less(start(), end); more = next()) {
            change(isOnFault, -1);
            if (count() == 0) {
                bytes -= end() - start();
            }
        }
        removeZeros(start, end);
        merge(start);
        merge(end);
    }

    /** Removes every holder from the range. */
    void clear(long start, long end) {
        if (isEmpty()) {
            return;
        }
        if (floor(start) && isAt(start, end)) {
            bytes -= end - start;
            delete();
            return;
        }
        split(start);
        split(end);
        for (boolean more = ceiling(start); more && less(start(), end); more = next()) {
            leaf.full[index] = 0;
            leaf.onFault[index] = 0;
            bytes -= end() - start();
        }
        removeZeros(start, end);
    }

    /** Makes the edges of a range boundaries, which is what may need memory. */
    void prepare(long start, long end) {
        if (floor(start) && isAt(start, end)) {
            return;
        }
        split(start);
        split(end);
    }

    /** Adds the parts of a prepared range that have one holder. */
    void addSole(long start, long end, Parts parts) {
        for (boolean more = floor(start); more && less(start(), end); more = next()) {
            if (count() == 1) {
                parts.add(start(), end());
            }
        }
    }

    /** Removes one holder from every address of a prepared range that has others. */
    void removeShared(long start, long end, boolean isOnFault) {
        for (boolean more = floor(start); more && less(start(), end); more = next()) {
            if (count() > 1) {
                change(isOnFault, -1);
            }
        }
        // Counts may have become equal to those on either side.
        for (boolean more = floor(start); more && less(start(), end); ) {
            long next = end();
            merge(start());
            more = ceiling(next);
        }
        merge(end);
    }

    /** Tells whether the range lies within one interval with one holder. */
    boolean isSole(long start, long end) {
        return floor(start) && count() == 1 && !less(end(), end);
    }

    /** Tells whether an address of the range has at least so many holders. */
    boolean anyAtLeast(long start, long end, int count) {
        for (boolean more = firstOf(start); more && less(start(), end); more = next()) {
            if (count() >= count) {
                return true;
            }
        }
        return false;
    }

    /** Visits the intervals that overlap the range, cut to it. Visitors may look at the counts and not change them. */
    void forEach(long start, long end, Visitor visitor) {
        for (boolean more = firstOf(start); more && less(start(), end); more = next()) {
            Node at = leaf;
            int place = index;
            visitor.visit(max(start, start()), min(end, end()), at.full[place], at.onFault[place]);
            leaf = at;
            index = place;
        }
    }

    /** Visits all intervals. */
    void forEach(Visitor visitor) {
        forEach(0, -1, visitor);
    }

    private void fillGaps(long start, long end) {
        long at = start;
        while (less(at, end)) {
            boolean found = ceiling(at);
            long gapEnd = found ? min(start(), end) : end;
            long next = found ? max(end(), gapEnd) : end;
            if (less(at, gapEnd)) {
                floor(at);
                insert(at, gapEnd, 0, 0);
            }
            at = next;
        }
    }

    private void removeZeros(long start, long end) {
        for (boolean more = ceiling(start); more && less(start(), end); ) {
            long next = end();
            if (count() == 0) {
                delete();
            }
            more = ceiling(next);
        }
    }

    /** Makes the address a boundary if it lies within an interval. */
    private void split(long at) {
        if (floor(at) && start() != at && less(at, end())) {
            insert(at, end(), leaf.full[index], leaf.onFault[index]);
            floor(at - 1);
            leaf.ends[index] = at;
        }
    }

    /**
     * Joins the interval that starts at the address to the one that ends there, if their counts are equal and the length
     * stays a positive number.
     */
    private void merge(long at) {
        if (!joins || !floor(at) || start() != at) {
            return;
        }
        long end = end();
        int full = leaf.full[index];
        int onFault = leaf.onFault[index];
        if (floor(at - 1)
                && end() == at
                && leaf.full[index] == full
                && leaf.onFault[index] == onFault
                && end - start() > 0) {
            floor(at);
            delete();
            floor(at - 1);
            leaf.ends[index] = end;
        }
    }

    // The interval that the last search has found

    private long start() {
        return leaf.starts[index];
    }

    private long end() {
        return leaf.ends[index];
    }

    private boolean isAt(long start, long end) {
        return start() == start && end() == end;
    }

    private int count() {
        return leaf.full[index] + leaf.onFault[index];
    }

    private void change(boolean isOnFault, int by) {
        int[] counts = isOnFault ? leaf.onFault : leaf.full;
        counts[index] += by;
    }

    // Searches, which tell whether they have found an interval

    /** The last one that starts at the address or before. If there is none, the place is before the first one. */
    private boolean floor(long at) {
        if (index >= 0 && index < leaf.size && !less(at, start()) && less(at, end())) {
            return true;
        }
        if (leaf.size == 0 || less(at, leaf.starts[0]) || !less(at, leaf.ends[leaf.size - 1])) {
            leaf = leafOfFloor(at);
        }
        index = leaf.indexOf(at);
        return index >= 0;
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

    /** The first one that starts at the address or after. */
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

    /** The first one that ends after the address. */
    private boolean firstOf(long at) {
        return floor(at) && less(at, end()) || ceiling(at);
    }

    private boolean next() {
        if (index + 1 < leaf.size) {
            index++;
            return true;
        }
        return ceiling(end());
    }

    private static Node firstLeaf(Node node) {
        return node.isLeaf() ? node : firstLeaf(node.children[0]);
    }

    private static Node lastLeaf(Node node) {
        return node.isLeaf() ? node : lastLeaf(node.lastChild());
    }

    // Changes

    /** Inserts an interval behind what {@link #floor} has found. What runs out of memory here has split nodes at most. */
    private void insert(long start, long end, int full, int onFault) {
        // At the end of a leaf it may belong to the next one.
        if (leaf.isFull() || index + 1 >= leaf.size) {
            leaf = leafWithRoom(start);
            index = leaf.indexOf(start);
        }
        index++;
        leaf.put(index, start, end, full, onFault);
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

    /** Deletes what the last search has found. Needs no memory. */
    private void delete() {
        if (leaf == root || leaf.size > capacity / 4) {
            leaf.take(index);
            return;
        }
        delete(root, start());
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

    static boolean less(long a, long b) {
        return Long.compareUnsigned(a, b) < 0;
    }

    static long min(long a, long b) {
        return less(a, b) ? a : b;
    }

    static long max(long a, long b) {
        return less(a, b) ? b : a;
    }
}
