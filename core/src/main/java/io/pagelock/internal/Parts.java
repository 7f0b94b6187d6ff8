// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;
import static io.pagelock.spi.Unsigned.min;

import io.pagelock.MemoryRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Collects ranges in ascending order, those that touch joined, as start and end in turn. */
final class Parts {
    private long[] bounds = new long[4];
    private int used;

    void add(long start, long end) {
        if (used > 0 && bounds[used - 1] == start && end - bounds[used - 2] > 0) {
            bounds[used - 1] = end;
            return;
        }
        addApart(start, end);
    }

    /** Adds a range without joining it with the one before. */
    void addApart(long start, long end) {
        if (used == bounds.length) {
            bounds = Arrays.copyOf(bounds, used * 2);
        }
        bounds[used++] = start;
        bounds[used++] = end;
    }

    /** Reports whether an address is in one of the ranges. */
    boolean contains(long at) {
        return (bound(at) & 1) == 1;
    }

    /** Returns the first start or end of a range after an address, but no more than the given end. */
    long edgeAfter(long at, long most) {
        int bound = bound(at);
        return bound < used ? min(bounds[bound], most) : most;
    }

    /** The index of the first bound above an address. */
    private int bound(long at) {
        int low = 0;
        int high = used;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (less(at, bounds[middle])) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    int count() {
        return used / 2;
    }

    void clear() {
        used = 0;
    }

    /** Reports whether a hold overlaps one of the ranges. */
    boolean overlaps(Hold hold) {
        for (int i = 0; i < hold.count(); i++) {
            int low = 0;
            int high = used / 2;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (less(hold.start(i), bounds[2 * middle + 1])) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            if (low < used / 2 && less(bounds[2 * low], hold.end(i))) {
                return true;
            }
        }
        return false;
    }

    boolean isEmpty() {
        return used == 0;
    }

    long[] toArray() {
        return Arrays.copyOf(bounds, used);
    }

    List<MemoryRange> toRanges() {
        List<MemoryRange> ranges = new ArrayList<>(used / 2);
        for (int i = 0; i < used; i += 2) {
            ranges.add(MemoryRange.of(bounds[i], bounds[i + 1] - bounds[i]));
        }
        return ranges;
    }
}
