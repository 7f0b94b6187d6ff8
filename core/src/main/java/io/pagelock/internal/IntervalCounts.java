// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

/**
 * Counts, for every address, how many holders it has, by interval: neighbouring addresses with equal counts share one
 * entry, so that a range costs the same whatever its length. An AVL tree with unsigned keys. Not safe for several
 * threads.
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
        private int height = 1;
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
    /** Where the last search ended; the next one is often for the same place. Null or in the tree. */
    private Node recent;

    private long bytes;
    private Node spare;
    private int spares;

    /**
     * Starts without holders.
     *
     * @param joins whether neighbours with equal counts become one; if not, what was added can be removed without memory
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
        node.height = 1;
        node.start = start;
        node.end = end;
        node.full = full;
        node.onFault = onFault;
        return node;
    }

    private void remove(Node node) {
        root = delete(root, node.start);
        recent = recent == node ? null : recent;
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
        recent = null;
        bytes = 0;
    }

    /** Adds one holder to every address of the range. */
    void add(long start, long end, boolean onFault) {
        Node last = floor(end);
        if (last == null || less(last.end, start)) {
            // Overlaps and touches nothing, as most ranges do.
            recent = node(start, end, onFault ? 0 : 1, onFault ? 1 : 0);
            root = insert(root, recent);
            bytes += end - start;
            return;
        }
        if (last.start == start && last.end == end) {
            last.change(onFault, 1);
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
        Node whole = floor(start);
        if (whole.start == start && whole.end == end) {
            whole.change(onFault, -1);
            if (whole.count() == 0) {
                bytes -= end - start;
                remove(whole);
            } else {
                merge(start);
                merge(end);
            }
            return;
        }
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
        Node whole = floor(start);
        if (whole != null && whole.start == start && whole.end == end) {
            bytes -= end - start;
            remove(whole);
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
        Node whole = floor(start);
        if (whole != null && whole.start == start && whole.end == end) {
            return;
        }
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
        if (recent != null && !less(at, recent.start) && less(at, recent.end)) {
            return recent;
        }
        Node best = null;
        for (Node node = root; node != null; ) {
            if (less(at, node.start)) {
                node = node.left;
            } else {
                best = node;
                node = node.right;
            }
        }
        recent = best;
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
        boolean left = less(node.start, tree.start);
        Node child = left ? tree.left : tree.right;
        int before = height(child);
        return replaced(tree, left, insert(child, node), before);
    }

    private static Node delete(Node tree, long start) {
        if (start == tree.start) {
            if (tree.left == null || tree.right == null) {
                return tree.left == null ? tree.right : tree.left;
            }
            Node next = tree.right;
            while (next.left != null) {
                next = next.left;
            }
            Node rest = withoutFirst(tree.right);
            next.left = tree.left;
            next.right = rest;
            return balanced(next);
        }
        boolean left = less(start, tree.start);
        Node child = left ? tree.left : tree.right;
        int before = height(child);
        return replaced(tree, left, delete(child, start), before);
    }

    private static Node withoutFirst(Node tree) {
        if (tree.left == null) {
            return tree.right;
        }
        int before = height(tree.left);
        return replaced(tree, true, withoutFirst(tree.left), before);
    }

    /**
     * Puts a child back whose height was {@code before}. On most levels nothing has changed: then nothing is stored, which
     * would cost the collector's barrier, and the other child is not looked at, which would be fetched from memory.
     */
    private static Node replaced(Node tree, boolean left, Node child, int before) {
        if (left && tree.left != child) {
            tree.left = child;
        } else if (!left && tree.right != child) {
            tree.right = child;
        }
        return height(child) == before ? tree : balanced(tree);
    }

    /** Sets the height and rotates where one side is two higher than the other. */
    private static Node balanced(Node tree) {
        int left = height(tree.left);
        int right = height(tree.right);
        if (left > right + 1) {
            if (height(tree.left.left) < height(tree.left.right)) {
                tree.left = rotatedLeft(tree.left);
            }
            return rotatedRight(tree);
        }
        if (right > left + 1) {
            if (height(tree.right.right) < height(tree.right.left)) {
                tree.right = rotatedRight(tree.right);
            }
            return rotatedLeft(tree);
        }
        tree.height = 1 + Math.max(left, right);
        return tree;
    }

    private static Node rotatedLeft(Node tree) {
        Node up = tree.right;
        tree.right = up.left;
        up.left = tree;
        tree.height = 1 + Math.max(height(tree.left), height(tree.right));
        up.height = 1 + Math.max(height(up.left), height(up.right));
        return up;
    }

    private static Node rotatedRight(Node tree) {
        Node up = tree.left;
        tree.left = up.right;
        up.right = tree;
        tree.height = 1 + Math.max(height(tree.left), height(tree.right));
        up.height = 1 + Math.max(height(up.left), height(up.right));
        return up;
    }

    private static int height(Node tree) {
        return tree == null ? 0 : tree.height;
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
