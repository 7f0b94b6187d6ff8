// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.util.Arrays;

/** Collects ranges in ascending order, those that touch joined, as start and end in turn. */
final class Parts {
    private long[] bounds = new long[4];
    private int used;

    void add(long start, long end) {
        if (used > 0 && bounds[used - 1] == start && end - bounds[used - 2] > 0) {
            bounds[used - 1] = end;
            return;
        }
        if (used == bounds.length) {
            bounds = Arrays.copyOf(bounds, used * 2);
        }
        bounds[used++] = start;
        bounds[used++] = end;
    }

    boolean isEmpty() {
        return used == 0;
    }

    long[] toArray() {
        return Arrays.copyOf(bounds, used);
    }
}
