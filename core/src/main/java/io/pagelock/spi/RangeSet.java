// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.MemoryRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Holds a set of addresses as ranges: sorted, disjoint, and joined where they touch. Each range has a start and an excluded
 * end, both unsigned and never 0. Immutable.
 */
public final class RangeSet {
    private static final RangeSet EMPTY = new RangeSet(new long[0]);
    /** What {@link #asList} cuts off a range that is too long for a {@link MemoryRange}. */
    private static final long HALF = 1L << 62;

    /** Start and end in turn. */
    private final long[] bounds;

    private RangeSet(long[] bounds) {
        this.bounds = bounds;
    }

    /**
     * Returns the set without any address.
     *
     * @return the empty set
     */
    public static RangeSet empty() {
        return EMPTY;
    }

    /**
     * Returns the set of the addresses in one range.
     *
     * @param range the range
     * @return a set with one range
     */
    public static RangeSet of(MemoryRange range) {
        return new RangeSet(new long[] {range.address(), range.end()});
    }

    /**
     * Starts a set of several ranges.
     *
     * @return an empty builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the number of ranges.
     *
     * @return 0 or more
     */
    public int size() {
        return bounds.length / 2;
    }

    /**
     * Reports whether the set has no address.
     *
     * @return true if it is empty
     */
    public boolean isEmpty() {
        return bounds.length == 0;
    }

    /**
     * Returns the first address of a range.
     *
     * @param index the index of the range, from 0, in ascending order of addresses
     * @return the address
     */
    public long start(int index) {
        return bounds[2 * index];
    }

    /**
     * Returns the address just past a range.
     *
     * @param index the index of the range, from 0, in ascending order of addresses
     * @return the address
     */
    public long end(int index) {
        return bounds[2 * index + 1];
    }

    /**
     * Returns how many addresses are in the set.
     *
     * @return bytes; 2^63-1 if there are more
     */
    public long bytes() {
        long bytes = 0;
        for (int i = 0; i < size(); i++) {
            bytes += end(i) - start(i);
            if (bytes < 0 || end(i) - start(i) < 0) {
                return Long.MAX_VALUE;
            }
        }
        return bytes;
    }

    /**
     * Reports whether every address of a range is in the set.
     *
     * @param range the range
     * @return true if it is
     */
    public boolean contains(MemoryRange range) {
        return !firstGap(range).isPresent();
    }

    /**
     * Finds the first part of a range that is not in the set.
     *
     * @param range the range
     * @return the missing part with the lowest address, up to the next address that is in the set or to the end of the
     *     range; empty if nothing is missing
     */
    public Optional<MemoryRange> firstGap(MemoryRange range) {
        long at = range.address();
        int index = firstEndingAfter(at);
        if (index < size() && !Unsigned.less(at, start(index))) {
            at = end(index++);
        }
        if (!Unsigned.less(at, range.end())) {
            return Optional.empty();
        }
        long to = index < size() ? Unsigned.min(start(index), range.end()) : range.end();
        return Optional.of(MemoryRange.of(at, to - at));
    }

    /**
     * Returns the addresses that are in this set, in the other, or in both.
     *
     * @param other another set
     * @return the union
     */
    public RangeSet union(RangeSet other) {
        if (isEmpty() || other.isEmpty()) {
            return isEmpty() ? other : this;
        }
        Builder all = new Builder();
        int mine = 0;
        int others = 0;
        while (mine < size() || others < other.size()) {
            boolean isMine = others == other.size() || mine < size() && Unsigned.less(start(mine), other.start(others));
            if (isMine) {
                all.add(start(mine), end(mine++));
            } else {
                all.add(other.start(others), other.end(others++));
            }
        }
        return all.build();
    }

    /**
     * Returns the addresses that are in both sets.
     *
     * @param other another set
     * @return the intersection
     */
    public RangeSet intersect(RangeSet other) {
        Builder common = new Builder();
        int mine = 0;
        int others = 0;
        while (mine < size() && others < other.size()) {
            long from = Unsigned.max(start(mine), other.start(others));
            long to = Unsigned.min(end(mine), other.end(others));
            if (Unsigned.less(from, to)) {
                common.add(from, to);
            }
            if (Unsigned.less(end(mine), other.end(others))) {
                mine++;
            } else {
                others++;
            }
        }
        return common.build();
    }

    /**
     * Returns the addresses that are in this set and not in the other.
     *
     * @param other another set
     * @return the difference
     */
    public RangeSet subtract(RangeSet other) {
        Builder rest = new Builder();
        int others = 0;
        for (int mine = 0; mine < size(); mine++) {
            long at = start(mine);
            while (others < other.size() && !Unsigned.less(at, other.end(others))) {
                others++;
            }
            // The last one may reach into the next range, so it is not passed over yet.
            for (int i = others; i < other.size() && Unsigned.less(other.start(i), end(mine)); i++) {
                if (Unsigned.less(at, other.start(i))) {
                    rest.add(at, other.start(i));
                }
                at = other.end(i);
                others = i;
            }
            if (Unsigned.less(at, end(mine))) {
                rest.add(at, end(mine));
            }
        }
        return rest.build();
    }

    /**
     * Returns the ranges. A range of 2^63 bytes or more appears as adjoining pieces.
     *
     * @return an unmodifiable list in ascending order of addresses
     */
    public List<MemoryRange> asList() {
        List<MemoryRange> list = new ArrayList<>(size());
        for (int i = 0; i < size(); i++) {
            long at = start(i);
            for (; end(i) - at < 0; at += HALF) {
                list.add(MemoryRange.of(at, HALF));
            }
            list.add(MemoryRange.of(at, end(i) - at));
        }
        return Collections.unmodifiableList(list);
    }

    /** The index of the first range that ends after an address. */
    private int firstEndingAfter(long address) {
        int low = 0;
        int high = size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Unsigned.less(address, end(middle))) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RangeSet && Arrays.equals(((RangeSet) other).bounds, bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    @Override
    public String toString() {
        return asList().toString();
    }

    /** Collects ranges in any order. Not safe for several threads. */
    public static final class Builder {
        private long[] bounds = new long[4];
        private int used;
        private boolean isSorted = true;

        private Builder() {}

        /**
         * Adds a range, which may overlap others.
         *
         * @param range the range
         * @return this builder
         */
        public Builder add(MemoryRange range) {
            return add(range.address(), range.end());
        }

        /**
         * Adds a range, which may overlap others.
         *
         * @param start the first address
         * @param end the address just past the last one
         * @return this builder
         * @throws IllegalArgumentException if the start is 0 or the end is not above it
         */
        public Builder add(long start, long end) {
            if (start == 0 || !Unsigned.less(start, end)) {
                throw new IllegalArgumentException("a range from 0x" + Long.toHexString(start) + " to 0x"
                        + Long.toHexString(end) + "; the start must not be 0 and the end must be above the start");
            }
            if (used > 0 && isSorted && !Unsigned.less(start, bounds[used - 2])) {
                if (!Unsigned.less(bounds[used - 1], start)) {
                    bounds[used - 1] = Unsigned.max(bounds[used - 1], end);
                    return this;
                }
            } else if (used > 0) {
                isSorted = false;
            }
            if (used == bounds.length) {
                bounds = Arrays.copyOf(bounds, 2 * used);
            }
            bounds[used++] = start;
            bounds[used++] = end;
            return this;
        }

        /**
         * Makes the set. The builder may be used further.
         *
         * @return the set of all addresses added so far
         */
        public RangeSet build() {
            if (used == 0) {
                return EMPTY;
            }
            if (isSorted) {
                return new RangeSet(Arrays.copyOf(bounds, used));
            }
            long[][] ranges = new long[used / 2][];
            for (int i = 0; i < ranges.length; i++) {
                ranges[i] = new long[] {bounds[2 * i], bounds[2 * i + 1]};
            }
            Arrays.sort(ranges, (a, b) -> Long.compareUnsigned(a[0], b[0]));
            Builder sorted = new Builder();
            for (long[] range : ranges) {
                sorted.add(range[0], range[1]);
            }
            return sorted.build();
        }
    }
}
