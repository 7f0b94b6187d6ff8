// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;
import static io.pagelock.spi.Unsigned.max;

/** Lists what is held. Not safe for several threads: the lock table's monitor guards it. */
final class Listing {
    private final IntervalCounts.Cursor look;

    Listing(IntervalCounts.Cursor look) {
        this.look = look;
    }

    /** As {@link LockTable#held(Parts, long, int)}. */
    long held(Parts all, long from, int most) {
        long at = from;
        boolean more = look.firstEndingAfter(from);
        for (int i = 0; more && i < most; i++) {
            at = look.end();
            if (look.count() > 0) {
                all.add(max(look.start(), from), at);
            }
            more = look.next();
        }
        return more ? at : 0;
    }

    /** Returns a renewal of what is held and not under way. */
    Call renewal(Spans underWay) {
        Parts full = new Parts();
        Parts onFault = new Parts();
        for (boolean more = look.firstEndingAfter(0); more; more = look.next()) {
            long at = look.start();
            for (Span busy = underWay.first(at, look.end());
                    look.count() > 0 && busy != null;
                    busy = less(at, look.end()) ? underWay.first(at, look.end()) : null) {
                if (less(at, busy.start)) {
                    (look.full() > 0 ? full : onFault).add(at, busy.start);
                }
                at = busy.end;
            }
            if (look.count() > 0 && less(at, look.end())) {
                (look.full() > 0 ? full : onFault).add(at, look.end());
            }
        }
        return Call.renewal(full.toArray(), onFault.toArray());
    }
}
