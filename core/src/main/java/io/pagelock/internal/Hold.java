// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;

/**
 * The claim of one handle on pages: what outlives the handle if that is dropped. Everything but the constructor's
 * values is guarded by the monitor of {@link RangeLocks}.
 */
final class Hold extends PhantomReference<Handle> {
    /** Open, being closed, closed. */
    enum State {
        OPEN,
        CLOSING,
        CLOSED
    }

    final boolean onFault;

    /** Who watches while the lock is under way. */
    Progress progress = Progress.UNWATCHED;

    /** What must stay reachable until the pages are unlocked: a buffer or a list of buffers. */
    Object anchor;

    // One aligned range, as nearly every handle has; or several, as start and end in turn, sorted and disjoint.
    private final long start;
    private final long end;
    private long[] parts;

    State state = State.OPEN;
    /** Set when the pages could not be locked again after an address-space lock. */
    boolean lost;
    /** Set while this hold is in flight and the kernel may have dropped its pages meanwhile: ask once more. */
    boolean askAgain;
    /** Set while this hold is in flight to unlock. */
    boolean unlocking;
    /** Set for a hold of whoever owns the exclusive phase. */
    boolean owner;

    Hold previous;
    Hold next;

    Hold(Handle handle, ReferenceQueue<Handle> queue, long start, long end, boolean onFault) {
        super(handle, queue);
        this.start = start;
        this.end = end;
        this.onFault = onFault;
    }

    /** A hold over several aligned ranges, sorted and disjoint, as start and end in turn. */
    Hold(Handle handle, ReferenceQueue<Handle> queue, long[] parts, boolean onFault) {
        this(handle, queue, parts[0], parts[parts.length - 1], onFault);
        this.parts = parts.length == 2 ? null : parts;
    }

    long bytes() {
        long bytes = 0;
        for (int i = 0; i < count(); i++) {
            bytes += end(i) - start(i);
        }
        return bytes;
    }

    int count() {
        return parts == null ? 1 : parts.length / 2;
    }

    long start(int index) {
        return parts == null ? start : parts[2 * index];
    }

    long end(int index) {
        return parts == null ? end : parts[2 * index + 1];
    }

    /** Narrows the claim to what is left of it. */
    void narrowTo(long[] rest) {
        parts = rest;
    }

    boolean overlaps(long otherStart, long otherEnd) {
        int low = 0;
        int high = count();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (!IntervalCounts.less(otherStart, end(middle))) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low < count() && IntervalCounts.less(start(low), otherEnd);
    }

    boolean overlaps(Hold other) {
        if (count() < other.count()) {
            return other.overlaps(this);
        }
        for (int i = 0; i < other.count(); i++) {
            if (overlaps(other.start(i), other.end(i))) {
                return true;
            }
        }
        return false;
    }
}
