// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;

/**
 * The calls that wait for others of the same pages. A call waits behind each earlier one that it overlaps, and begins when it is
 * first in line and nothing overlapping is under way. Those that are first in line never overlap, so whoever ends a call finds the
 * ones to wake without looking at all that wait.
 *
 * <p>Guarded by the monitor of {@link LockTable}. Only {@link #add} needs memory, and leaves the queue as it was when it gets
 * none.
 */
final class TurnQueue {
    private final LockTable table;
    /** The spans of the calls that are first in line. */
    private final Spans first = new Spans();
    /** For each page that is waited for, the call that came last. */
    private final Spans last = new Spans();

    private int size;
    /** A call could begin, and there was no thread for it. */
    private boolean isStuck;

    TurnQueue(LockTable table) {
        this.table = table;
    }

    int size() {
        return size;
    }

    /** Reports whether a new call would wait behind another. */
    boolean isWaitedFor(Call call) {
        return size > 0 && last.first(call) != null;
    }

    /** Puts a call at the end. */
    void add(Turn turn) {
        Call call = turn.call;
        int parts = call.count();
        Span[] claims = new Span[parts];
        Span[] cutOff = new Span[parts];
        Turn.Edge edges = null;
        for (int i = 0; i < parts; i++) {
            Span part = call.span(i);
            claims[i] = new Span(call, part.start, part.end);
            for (Span each = last.first(part.start, part.end); each != null; each = last.first(each.end, part.end)) {
                Turn earlier = each.call.turn;
                if (earlier.countedBy != turn) {
                    earlier.countedBy = turn;
                    edges = new Turn.Edge(earlier, turn, edges);
                }
                if (!less(each.end, part.end)) {
                    cutOff[i] = new Span(each.call, part.end, each.end);
                    break;
                }
            }
        }
        // From here on nothing needs memory.
        while (edges != null) {
            Turn.Edge edge = edges;
            edges = edge.next;
            edge.next = edge.earlier.behind;
            edge.earlier.behind = edge;
            turn.ahead++;
        }
        for (int i = 0; i < parts; i++) {
            takeOver(claims[i], cutOff[i]);
        }
        call.turn = turn;
        size++;
        if (turn.ahead == 0) {
            comeFirst(turn);
        }
    }

    /** Adds a claim in place of those that it overlaps, which keep what is outside. */
    private void takeOver(Span claim, Span cutOff) {
        for (Span each = last.first(claim.start, claim.end); each != null; each = last.first(claim.start, claim.end)) {
            boolean startsBefore = less(each.start, claim.start);
            boolean endsAfter = less(claim.end, each.end);
            if (startsBefore) {
                each.end = claim.start;
                if (endsAfter) {
                    last.add(cutOff);
                }
            } else if (endsAfter) {
                each.start = claim.end;
            } else {
                last.remove(each);
            }
        }
        last.add(claim);
    }

    /** Takes a call that begins out of the line; {@link #passOn} must follow. */
    void leave(Turn turn) {
        for (int i = 0; turn.isFirst && i < turn.call.count(); i++) {
            first.remove(turn.call.span(i));
        }
        for (int i = 0; i < turn.call.count(); i++) {
            Span part = turn.call.span(i);
            for (Span each = last.first(part.start, part.end);
                    each != null;
                    each = less(each.end, part.end) ? last.first(each.end, part.end) : null) {
                if (each.call == turn.call) {
                    last.remove(each);
                }
            }
        }
        turn.call.turn = null;
        size--;
    }

    /** Moves up those that waited behind a call that has left. */
    void passOn(Turn left) {
        left.next = null;
        for (Turn gone = left; gone != null; ) {
            Turn.Edge edge = gone.behind;
            gone = gone.next;
            for (; edge != null; edge = edge.next) {
                Turn later = edge.later;
                if (--later.ahead > 0) {
                    continue;
                }
                if (later.isCancelled) {
                    leave(later);
                    later.next = gone;
                    gone = later;
                } else {
                    comeFirst(later);
                }
            }
        }
    }

    /** Gives up the place of a call. Where others are ahead of it, it keeps the place for as long as they have not begun. */
    void cancel(Turn turn) {
        turn.isCancelled = true;
        if (turn.ahead == 0) {
            leave(turn);
            passOn(turn);
        }
    }

    /** Wakes those that may have waited for a range that is not under way any more. */
    void ended(long start, long end) {
        if (isStuck) {
            wakeAll();
            return;
        }
        for (Span each = first.first(start, end);
                each != null;
                each = less(each.end, end) ? first.first(each.end, end) : null) {
            wake(each.call.turn);
        }
    }

    /** Wakes all that may begin. */
    void wakeAll() {
        isStuck = false;
        for (Span each = first.first(0, -1); each != null; each = first.first(each.end, -1)) {
            wake(each.call.turn);
        }
    }

    boolean isStuck() {
        return isStuck;
    }

    private void comeFirst(Turn turn) {
        turn.isFirst = true;
        for (int i = 0; i < turn.call.count(); i++) {
            first.add(turn.call.span(i));
        }
        wake(turn);
    }

    private void wake(Turn turn) {
        if (!turn.isCalled && table.mayBegin(turn.call)) {
            turn.isCalled = turn.wake();
            isStuck |= !turn.isCalled;
        }
    }
}
