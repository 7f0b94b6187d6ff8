// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;

/**
 * Disjoint spans, sorted by unsigned address: a treap whose nodes are the spans themselves, so that nothing here needs memory.
 * Not safe for several threads.
 */
final class Spans {
    private Span root;
    private int seed = 1;

    boolean isEmpty() {
        return root == null;
    }

    /** Adds a span that overlaps none of those here. */
    void add(Span span) {
        // Marsaglia's xorshift, so that the tree stays shallow whatever the addresses are.
        seed ^= seed << 13;
        seed ^= seed >>> 17;
        seed ^= seed << 5;
        span.priority = seed;
        root = add(root, span);
    }

    private static Span add(Span at, Span span) {
        if (at == null || span.priority > at.priority) {
            cut(at, span);
            return span;
        }
        if (less(span.start, at.start)) {
            at.left = add(at.left, span);
        } else {
            at.right = add(at.right, span);
        }
        return at;
    }

    /** Makes the spans below and above a new one its subtrees. */
    private static void cut(Span from, Span span) {
        span.left = null;
        span.right = null;
        Span below = null;
        Span above = null;
        for (Span at = from; at != null; ) {
            if (less(at.start, span.start)) {
                if (below == null) {
                    span.left = at;
                } else {
                    below.right = at;
                }
                below = at;
                at = at.right;
            } else {
                if (above == null) {
                    span.right = at;
                } else {
                    above.left = at;
                }
                above = at;
                at = at.left;
            }
        }
        if (below != null) {
            below.right = null;
        }
        if (above != null) {
            above.left = null;
        }
    }

    /** Removes a span that is here. */
    void remove(Span span) {
        root = remove(root, span);
    }

    private static Span remove(Span at, Span span) {
        if (at == span) {
            Span joined = join(at.left, at.right);
            at.left = null;
            at.right = null;
            return joined;
        }
        if (less(span.start, at.start)) {
            at.left = remove(at.left, span);
        } else {
            at.right = remove(at.right, span);
        }
        return at;
    }

    private static Span join(Span below, Span above) {
        if (below == null) {
            return above;
        }
        if (above == null) {
            return below;
        }
        if (below.priority > above.priority) {
            below.right = join(below.right, above);
            return below;
        }
        above.left = join(below, above.left);
        return above;
    }

    /** Returns the lowest span that overlaps a range; null if there is none. */
    Span first(long start, long end) {
        Span first = null;
        for (Span at = root; at != null; ) {
            if (less(start, at.end)) {
                first = at;
                at = at.left;
            } else {
                at = at.right;
            }
        }
        return first != null && less(first.start, end) ? first : null;
    }

    /** Returns the lowest span that overlaps a part of the call; null if there is none. */
    Span first(Call call) {
        for (int i = 0; i < call.count(); i++) {
            Span found = first(call.span(i).start, call.span(i).end);
            if (found != null) {
                return found;
            }
        }
        return null;
    }
}
