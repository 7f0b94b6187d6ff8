// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

/**
 * Counts, for every address, how many holders it has, by interval: neighbouring addresses with equal counts share one
 * entry, so that a range costs the same whatever its length. A treap with unsigned keys; its priorities are a hash of the
 * key, which spares a field per node. Not safe for several threads.
 *
 * <p>A method that runs out of memory leaves the counts as they were. After {@link #prepare} of a range, and until something
 * else changes its edges, the methods that only take away need no memory.
 */
final class IntervalCounts {
    private static final class Node {
        private long start;
        private long end;
        private int full;
        private int onFault;
        private Node left;
        private Node right;

        private Node(long start, long end, int full, int onFault) {
            this.start = start;
            this.end = end;
            this.full = full;
            this.onFault = onFault;
        }

        private int count() {
            return full + onFault;
        }

        private void change(boolean isOnFault, int by) {
            if (isOnFault) {
                onFault += by;
            } else {
                full += by;
            }
        }
    }

    /** Receives intervals in ascending order. */
    interface Visitor {
        void visit(long start, long end, int full, int onFault);
    }

    /** How many nodes are kept for the next use, so that locking and unlocking in turn makes no garbage. */
    private static final int MOST_SPARE = 64;

    private final boolean joins;
    private Node root;
    private long bytes;
    private Node spare;
    private int spares;

    /**
     * Starts without holders.
     *
     * @param joins whether neighbours with equal counts become one; if not, what was added can be cleared without memory
     */
    IntervalCounts(boolean joins) {
        this.joins = joins;
    }

    private Node node(long start, long end, int full, int onFault) {
        if (spare == null) {
            return new Node(start, end, full, onFault);
        }
        Node node = spare;
        spare = node.left;
        spares--;
        node.left = null;
        node.start = start;
        node.end = end;
        node.full = full;
        node.onFault = onFault;
        return node;
    }

    private void remove(Node node) {
        root = delete(root, node.start);
        node.right = null;
        node.left = null;
        if (spares < MOST_SPARE) {
            node.left = spare;
            spare = node;
            spares++;
        }
    }

    /** The number of bytes with a count above zero. */
    long bytes() {
        return bytes;
    }

    boolean isEmpty() {
        return root == null;
    }

    void clear() {
        root = null;
        bytes = 0;
    }

    /** Adds one holder to every address of the range. */
    void add(long start, long end, boolean onFault) {
        split(start);
        split(end);
        try {
            fillGaps(start, end);
        } catch (Error e) {
            removeZeros(start, end);
            throw e;
        }
        for (Node node = floor(start); node != null && less(node.start, end); node = ceiling(node.end)) {
            if (node.count() == 0) {
                bytes += node.end - node.start;
            }
            node.change(onFault, 1);
        }
        merge(start);
        merge(end);
    }

    /** Removes one holder from every address of the range; each must have one of that kind. */
    void remove(long start, long end, boolean onFault) {
        split(start);
        split(end);
        for (Node node = floor(start); node != null && less(node.start, end); node = ceiling(node.end)) {
            node.change(onFault, -1);
            if (node.count() == 0) {
                bytes -= node.end - node.start;
            }
        }
        removeZeros(start, end);
        merge(start);
        merge(end);
    }

    /** Removes every holder from the range. */
    void clear(long start, long end) {
        if (root == null) {
            return;
        }
        split(start);
        split(end);
        for (Node node = ceiling(start); node != null && less(node.start, end); node = ceiling(node.end)) {
            node.full = 0;
            node.onFault = 0;
            bytes -= node.end - node.start;
        }
        removeZeros(start, end);
    }

    /** Makes the edges of a range boundaries, which is what may need memory. */
    void prepare(long start, long end) {
        split(start);
        split(end);
    }

    /** Adds the parts of a prepared range that have one holder. */
    void addSole(long start, long end, Parts parts) {
        for (Node node = floor(start); node != null && less(node.start, end); node = ceiling(node.end)) {
            if (node.count() == 1) {
                parts.add(node.start, node.end);
            }
        }
    }

    /** Removes one holder from every address of a prepared range that has others. */
    void removeShared(long start, long end, boolean onFault) {
        for (Node node = floor(start); node != null && less(node.start, end); node = ceiling(node.end)) {
            if (node.count() > 1) {
                node.change(onFault, -1);
            }
        }
        // Counts may have become equal to those on either side.
        for (Node node = floor(start); node != null && less(node.start, end); ) {
            long next = node.end;
            merge(node.start);
            node = ceiling(next);
        }
        merge(end);
    }

    /** Tells whether the range lies within one interval with one holder. */
    boolean isSole(long start, long end) {
        Node node = floor(start);
        return node != null && node.count() == 1 && !less(node.end, end);
    }

    /** Tells whether an address of the range has at least so many holders. */
    boolean anyAtLeast(long start, long end, int count) {
        Node node = floor(start);
        if (node == null || !less(start, node.end)) {
            node = ceiling(start);
        }
        for (; node != null && less(node.start, end); node = ceiling(node.end)) {
            if (node.count() >= count) {
                return true;
            }
        }
        return false;
    }

    /** Visits the intervals that overlap the range, cut to it. */
    void forEach(long start, long end, Visitor visitor) {
        Node node = floor(start);
        if (node == null || !less(start, node.end)) {
            node = ceiling(start);
        }
        for (; node != null && less(node.start, end); node = ceiling(node.end)) {
            visitor.visit(max(start, node.start), min(end, node.end), node.full, node.onFault);
        }
    }

    /** Visits all intervals. */
    void forEach(Visitor visitor) {
        for (Node node = ceiling(0); node != null; node = ceiling(node.end)) {
            visitor.visit(node.start, node.end, node.full, node.onFault);
        }
    }

    private void fillGaps(long start, long end) {
        long at = start;
        while (less(at, end)) {
            Node node = ceiling(at);
            long gapEnd = node == null ? end : min(node.start, end);
            if (less(at, gapEnd)) {
                root = insert(root, node(at, gapEnd, 0, 0));
            }
            at = node == null ? end : max(node.end, gapEnd);
        }
    }

    private void removeZeros(long start, long end) {
        for (Node node = ceiling(start); node != null && less(node.start, end); ) {
            long next = node.end;
            if (node.count() == 0) {
                remove(node);
            }
            node = ceiling(next);
        }
    }

    /** Makes the address a boundary if it lies within an interval. */
    private void split(long at) {
        Node node = floor(at);
        if (node != null && node.start != at && less(at, node.end)) {
            Node upper = node(at, node.end, node.full, node.onFault);
            node.end = at;
            root = insert(root, upper);
        }
    }

    /**
     * Joins the interval that starts at the address to the one that ends there, if their counts are equal and the length
     * stays a positive number.
     */
    private void merge(long at) {
        Node upper = joins ? floor(at) : null;
        if (upper == null || upper.start != at) {
            return;
        }
        Node lower = floor(at - 1);
        if (lower != null
                && lower.end == at
                && lower.full == upper.full
                && lower.onFault == upper.onFault
                && upper.end - lower.start > 0) {
            lower.end = upper.end;
            remove(upper);
        }
    }

    private Node floor(long at) {
        Node best = null;
        for (Node node = root; node != null; ) {
            if (less(at, node.start)) {
                node = node.left;
            } else {
                best = node;
                node = node.right;
            }
        }
        return best;
    }

    private Node ceiling(long at) {
        Node best = null;
        for (Node node = root; node != null; ) {
            if (less(node.start, at)) {
                node = node.right;
            } else {
                best = node;
                node = node.left;
            }
        }
        return best;
    }

    private static Node insert(Node tree, Node node) {
        if (tree == null) {
            return node;
        }
        if (less(node.start, tree.start)) {
            Node child = insert(tree.left, node);
            if (priority(child) > priority(tree)) {
                tree.left = child.right;
                child.right = tree;
                return child;
            }
            tree.left = child;
        } else {
            Node child = insert(tree.right, node);
            if (priority(child) > priority(tree)) {
                tree.right = child.left;
                child.left = tree;
                return child;
            }
            tree.right = child;
        }
        return tree;
    }

    private static Node delete(Node tree, long start) {
        if (start == tree.start) {
            return join(tree.left, tree.right);
        }
        if (less(start, tree.start)) {
            tree.left = delete(tree.left, start);
        } else {
            tree.right = delete(tree.right, start);
        }
        return tree;
    }

    private static Node join(Node lower, Node upper) {
        if (lower == null) {
            return upper;
        }
        if (upper == null) {
            return lower;
        }
        if (priority(lower) > priority(upper)) {
            lower.right = join(lower.right, upper);
            return lower;
        }
        upper.left = join(lower, upper.left);
        return upper;
    }

    // The finishing steps of MurmurHash3, which spread neighbouring page addresses over all bits.
    private static long priority(Node node) {
        long hash = node.start;
        hash = (hash ^ hash >>> 33) * 0xff51afd7ed558ccdL;
        hash = (hash ^ hash >>> 33) * 0xc4ceb9fe1a85ec53L;
        return hash ^ hash >>> 33;
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
