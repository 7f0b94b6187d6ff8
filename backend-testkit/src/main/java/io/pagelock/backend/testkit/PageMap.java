// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * The memory of a {@link FakeKernel} by interval, in page numbers: a mapping of any length costs as much as one page. Not safe
 * for several threads.
 */
final class PageMap {
    private final TreeMap<Long, Segment> segments;

    PageMap() {
        segments = new TreeMap<>();
    }

    private PageMap(PageMap from) {
        segments = new TreeMap<>(from.segments);
    }

    /** The same pages, which change no more when these do. */
    PageMap copy() {
        return new PageMap(this);
    }

    enum Source {
        GOOD,
        PAST_END,
        BROKEN
    }

    static final class Mapping {
        final Kind kind;
        final long start;
        final long end;

        Mapping(Kind kind, long start, long end) {
            this.kind = kind;
            this.start = start;
            this.end = end;
        }
    }

    /** Neighbouring pages that are alike; the start is the key under which it is kept. */
    static final class Segment {
        final long end;
        final Mapping mapping;
        final boolean accessible;
        final Mode mode;
        final boolean resident;
        final Source source;
        /** How many unlocks it takes, where locks are counted; elsewhere 1 if it is locked. */
        final int locks;

        Segment(long end, Mapping mapping, boolean accessible, Mode mode, int locks, boolean resident, Source source) {
            this.end = end;
            this.mapping = mapping;
            this.accessible = accessible;
            this.mode = mode;
            this.locks = locks;
            this.resident = resident;
            this.source = source;
        }

        Segment endingAt(long page) {
            return new Segment(page, mapping, accessible, mode, locks, resident, source);
        }

        Segment accessible(boolean value) {
            return new Segment(end, mapping, value, mode, locks, resident, source);
        }

        Segment mode(Mode value) {
            return new Segment(end, mapping, accessible, value, value == Mode.NONE ? 0 : 1, resident, source);
        }

        Segment locks(int value) {
            return new Segment(end, mapping, accessible, value == 0 ? Mode.NONE : Mode.FULL, value, resident, source);
        }

        Segment resident(boolean value) {
            return new Segment(end, mapping, accessible, mode, locks, value, source);
        }

        Segment source(Source value) {
            return new Segment(end, mapping, accessible, mode, locks, resident && value != Source.PAST_END, value);
        }

        /** Whether both belong to one mapping in the kernel's list of mappings. */
        boolean isOneMappingWith(Segment other) {
            boolean same =
                    mapping == other.mapping || mapping.kind == Kind.ANONYMOUS && other.mapping.kind == Kind.ANONYMOUS;
            return same && accessible == other.accessible && mode == other.mode && locks == other.locks;
        }

        boolean isLike(Segment other) {
            return mapping == other.mapping
                    && accessible == other.accessible
                    && mode == other.mode
                    && locks == other.locks
                    && resident == other.resident
                    && source == other.source;
        }
    }

    interface Test {
        boolean holds(Segment segment);
    }

    Segment at(long page) {
        Map.Entry<Long, Segment> floor = segments.floorEntry(page);
        return floor != null && page < floor.getValue().end ? floor.getValue() : null;
    }

    long endOfMapping(long page, long end) {
        Segment segment = at(page);
        long next = segment.end;
        while (next < end) {
            Segment neighbour = segments.get(next);
            if (neighbour == null || !neighbour.isOneMappingWith(segment)) {
                break;
            }
            next = neighbour.end;
        }
        return Math.min(next, end);
    }

    boolean hasHole(long start, long end) {
        return sum(start, end, segment -> true) != end - start;
    }

    boolean any(long start, long end, Test test) {
        return sum(start, end, test) > 0;
    }

    /** The number of pages for which the test holds. */
    long sum(long start, long end, Test test) {
        Long first = segments.floorKey(start);
        long pages = 0;
        for (Map.Entry<Long, Segment> entry :
                segments.tailMap(first == null ? start : first).entrySet()) {
            if (entry.getKey() >= end) {
                break;
            }
            Segment segment = entry.getValue();
            if (segment.end > start && test.holds(segment)) {
                pages += Math.min(segment.end, end) - Math.max(entry.getKey(), start);
            }
        }
        return pages;
    }

    void update(long start, long end, UnaryOperator<Segment> change) {
        split(start);
        split(end);
        for (Map.Entry<Long, Segment> entry : segments.subMap(start, end).entrySet()) {
            entry.setValue(change.apply(entry.getValue()));
        }
        join(start, end);
    }

    void remove(long start, long end) {
        split(start);
        split(end);
        segments.subMap(start, end).clear();
    }

    private void split(long page) {
        Map.Entry<Long, Segment> floor = segments.floorEntry(page);
        if (floor != null && floor.getKey() < page && page < floor.getValue().end) {
            Segment whole = floor.getValue();
            segments.put(floor.getKey(), whole.endingAt(page));
            segments.put(page, whole);
        }
    }

    private void join(long start, long end) {
        Long key = segments.lowerKey(start);
        key = key == null ? segments.ceilingKey(start) : key;
        while (key != null && key <= end) {
            Segment segment = segments.get(key);
            Segment next = segments.get(segment.end);
            if (next != null && segment.isLike(next)) {
                segments.remove(segment.end);
                segments.put(key, segment.endingAt(next.end));
            } else {
                key = segments.higherKey(key);
            }
        }
    }

    void put(long start, Segment segment) {
        segments.put(start, segment);
    }

    /** The first page after this one at which something begins; the end if there is none before it. */
    long nextStart(long page, long end) {
        Long next = segments.higherKey(page);
        return next == null ? end : Math.min(next, end);
    }

    /** How many mappings the kernel's list has: one whose pages are kept in different ways counts several times. */
    long mappings() {
        long count = 0;
        long end = -1;
        Segment last = null;
        for (Map.Entry<Long, Segment> entry : segments.entrySet()) {
            Segment segment = entry.getValue();
            if (last == null || entry.getKey() != end || !last.isOneMappingWith(segment)) {
                count++;
            }
            last = segment;
            end = segment.end;
        }
        return count;
    }
}
