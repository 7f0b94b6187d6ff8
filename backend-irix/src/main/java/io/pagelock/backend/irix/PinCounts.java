// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How often this backend pinned which pages: mpin counts in the kernel, and every one of ours must be undone, but none of
 * others'. By interval; addresses are unsigned. Safe for use by several threads.
 */
final class PinCounts {
    /** Where a count begins, up to the next key; keys are flipped so that they sort as unsigned. */
    private final TreeMap<Long, Integer> counts = new TreeMap<>();

    /** A range and how often it is pinned. */
    static final class Piece {
        final long start;
        final long end;
        final int count;

        Piece(long start, long end, int count) {
            this.start = start;
            this.end = end;
            this.count = count;
        }
    }

    synchronized void add(long start, long end, int delta) {
        cut(start);
        cut(end);
        counts.subMap(flip(start), flip(end)).replaceAll((at, count) -> Math.max(0, count + delta));
        tidy(start, end);
    }

    synchronized List<Piece> pinned(long start, long end) {
        List<Piece> pieces = new ArrayList<>();
        Map.Entry<Long, Integer> before = counts.floorEntry(flip(start));
        long from = start;
        int count = before == null ? 0 : before.getValue();
        for (Map.Entry<Long, Integer> each :
                counts.subMap(flip(start), false, flip(end), false).entrySet()) {
            addPiece(pieces, from, flip(each.getKey()), count);
            from = flip(each.getKey());
            count = each.getValue();
        }
        addPiece(pieces, from, end, count);
        return pieces;
    }

    synchronized void clear() {
        counts.clear();
    }

    private static void addPiece(List<Piece> pieces, long start, long end, int count) {
        if (count > 0 && start != end) {
            pieces.add(new Piece(start, end, count));
        }
    }

    private void cut(long at) {
        Map.Entry<Long, Integer> before = counts.floorEntry(flip(at));
        counts.putIfAbsent(flip(at), before == null ? 0 : before.getValue());
    }

    /** Drops edges between equal counts. */
    private void tidy(long start, long end) {
        List<Long> edges = new ArrayList<>(
                counts.subMap(flip(start), true, flip(end), true).keySet());
        for (Long edge : edges) {
            Map.Entry<Long, Integer> before = counts.lowerEntry(edge);
            if (counts.get(edge) == (before == null ? 0 : before.getValue().intValue())) {
                counts.remove(edge);
            }
        }
    }

    private static long flip(long address) {
        return address ^ Long.MIN_VALUE;
    }
}
