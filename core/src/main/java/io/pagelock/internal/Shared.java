// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;
import static io.pagelock.spi.Unsigned.max;
import static io.pagelock.spi.Unsigned.min;

/** What a lock shares with others: which of its pages they hold when it begins, and which of them are stale when it is undone. */
final class Shared {
    /** Among so many intervals, a lock asks of those that others hold whether anything there is locked; each takes a call. */
    private static final int MOST_QUESTIONS = 1024;

    private Shared() {}

    /**
     * Lists what others hold. Where they hold pages fully, a lock on fault asks for a full lock: on Linux the later call decides
     * for both.
     */
    static void plan(Call call, IntervalCounts.Cursor look) {
        Parts held = null;
        Parts heldFully = null;
        int looks = 0;
        for (int i = 0; i < call.count(); i++) {
            Span part = call.span(i);
            boolean more = look.firstEndingAfter(part.start);
            for (; more && less(look.start(), part.end); more = look.next()) {
                if (looks++ >= MOST_QUESTIONS && !call.hold.onFault) {
                    break;
                }
                if (look.count() > 0 && looks <= MOST_QUESTIONS) {
                    held = held == null ? new Parts() : held;
                    held.addApart(max(look.start(), part.start), min(look.end(), part.end));
                    call.isHeldFully = look.full() > 0;
                }
                if (call.hold.onFault && look.full() > 0) {
                    heldFully = heldFully == null ? new Parts() : heldFully;
                    heldFully.add(look.start(), look.end());
                }
            }
        }
        call.heldByOthers = held == null ? null : held.toArray();
        call.heldFully = heldFully == null ? null : heldFully.toArray();
    }

    /** Ends the piece of a call where what is stale begins or ends; false if the counts have no boundary there any more. */
    static boolean endsAtEdgeOfStale(Call call, IntervalCounts.Cursor look) {
        Span piece = call.piece();
        long edge = call.stale.edgeAfter(piece.start, piece.end);
        look.firstEndingAfter(edge - 1);
        if (look.end() != edge && edge != piece.end) {
            return false;
        }
        piece.end = edge;
        return true;
    }
}
