// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;

import java.util.Arrays;

/** A node of {@link IntervalCounts}: a leaf with intervals, or an inner node with children. Only the root may be empty. */
final class IntervalNode {
    /** Where intervals start; of an inner node, a bound below all that is in a child, meaningless for the first child. */
    final long[] starts;

    final long[] ends;
    final int[] full;
    final int[] onFault;
    final IntervalNode[] children;
    int size;

    IntervalNode(int capacity, boolean isLeaf) {
        starts = new long[capacity];
        ends = isLeaf ? new long[capacity] : null;
        full = isLeaf ? new int[capacity] : null;
        onFault = isLeaf ? new int[capacity] : null;
        children = isLeaf ? null : new IntervalNode[capacity];
    }

    boolean isLeaf() {
        return children == null;
    }

    boolean isFull() {
        return size == starts.length;
    }

    /** The last entry that starts at the address or before; -1 if there is none. */
    int indexOf(long at) {
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

    int childFor(long at) {
        return Math.max(0, indexOf(at));
    }

    private IntervalNode lastChild() {
        return children[size - 1];
    }

    void put(int at, long start, long end, int fullCount, int onFaultCount) {
        move(this, at, this, at + 1, size - at);
        starts[at] = start;
        ends[at] = end;
        full[at] = fullCount;
        onFault[at] = onFaultCount;
        size++;
    }

    void put(int at, long bound, IntervalNode child) {
        move(this, at, this, at + 1, size - at);
        starts[at] = bound;
        children[at] = child;
        size++;
    }

    void take(int at) {
        move(this, at + 1, this, at, size - at - 1);
        size--;
        if (!isLeaf()) {
            children[size] = null;
        }
    }

    private static void move(IntervalNode from, int at, IntervalNode to, int place, int count) {
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
    void splitChild(int at, long added) {
        IntervalNode child = children[at];
        int kept = less(child.starts[child.size - 1], added) ? child.size - 1 : child.size / 2;
        IntervalNode upper = new IntervalNode(starts.length, child.isLeaf());
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
        IntervalNode lower = children[at];
        IntervalNode upper = children[at + 1];
        if (!upper.isLeaf()) {
            upper.starts[0] = starts[at + 1];
        }
        move(upper, 0, lower, lower.size, upper.size);
        lower.size += upper.size;
        // A leaf that the last search ended at must not be taken for one of the tree.
        upper.size = 0;
        take(at + 1);
    }

    IntervalNode firstLeaf() {
        return isLeaf() ? this : children[0].firstLeaf();
    }

    IntervalNode lastLeaf() {
        return isLeaf() ? this : lastChild().lastLeaf();
    }

    /** Deletes the interval that starts there, from this node down. */
    void delete(long start) {
        if (isLeaf()) {
            take(indexOf(start));
            return;
        }
        int child = childFor(start);
        children[child].delete(start);
        tidyChild(child);
    }
}
