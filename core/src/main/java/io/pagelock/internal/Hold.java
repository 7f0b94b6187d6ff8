// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;

/**
 * The claim of one handle on pages: what outlives the handle if that is dropped. Everything that is not final is guarded by
 * the monitor of {@link RangeLocks}.
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

    // One aligned range, as nearly every handle has; or several, as start and end in turn, sorted and disjoint.
    private final long start;
    private final long end;
    private long[] parts;
    /** The parts that are in flight; the claim may be narrower already. */
    private long[] flown;

    /** Open from when it is counted. */
    State state = State.CLOSED;
    /** Set when the system has changed every lock since this began. */
    boolean older;
    /** Set when the pages could not be locked again after the system dropped them. */
    boolean lost;
    /** Set when nobody can close this hold any more, so that it must be tried again. */
    boolean abandoned;
    /** Set while this hold is in flight and the system may have dropped its pages meanwhile: ask once more. */
    boolean askAgain;
    /** Like {@link #askAgain}, but stays set for the whole flight. */
    boolean disturbed;
    /** Set while this hold is in flight to unlock. */
    boolean unlocking;
    /** Set when its pages were locked on fault for a while, because nobody else needed them. */
    boolean weakened;

    // All holds that are open, and all that are in flight.
    Hold previous;
    Hold next;
    Hold previousInFlight;
    Hold nextInFlight;

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

    int count() {
        return count(parts);
    }

    long start(int index) {
        return parts == null ? start : parts[2 * index];
    }

    long end(int index) {
        return parts == null ? end : parts[2 * index + 1];
    }

    /** Where it began, however narrow it is by now. */
    long outerStart() {
        return start;
    }

    long outerEnd() {
        return end;
    }

    private static int count(long[] bounds) {
        return bounds == null ? 1 : bounds.length / 2;
    }

    /** Narrows the claim to what is left of it. */
    void narrowTo(long[] rest) {
        parts = rest;
    }

    /** Adds the parts to what is in flight. */
    void takeOff(IntervalCounts busy) {
        int added = 0;
        try {
            for (; added < count(); added++) {
                busy.add(start(added), end(added), false);
            }
        } catch (Error e) {
            while (added-- > 0) {
                busy.remove(start(added), end(added), false);
            }
            throw e;
        }
        flown = parts;
    }

    /** Leaves no more in flight than what the claim was narrowed to, so that others may begin with the rest. */
    void flyOn(IntervalCounts busy) {
        long[] before = flown;
        takeOff(busy);
        touchDown(busy, before);
    }

    /** Takes away what {@link #takeOff} added. Needs no memory. */
    void touchDown(IntervalCounts busy) {
        touchDown(busy, flown);
    }

    private void touchDown(IntervalCounts busy, long[] bounds) {
        for (int i = 0; i < count(bounds); i++) {
            busy.remove(bounds == null ? start : bounds[2 * i], bounds == null ? end : bounds[2 * i + 1], false);
        }
    }

    long bytes() {
        long bytes = 0;
        for (int i = 0; i < count(); i++) {
            bytes += end(i) - start(i);
        }
        return bytes;
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
