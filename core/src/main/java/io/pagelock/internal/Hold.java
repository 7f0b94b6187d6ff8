// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;

/**
 * The claim of one handle on pages: it outlives a handle that is dropped. Everything that is not final is guarded by the
 * monitor of {@link LockTable}.
 */
final class Hold extends PhantomReference<Handle> {
    /** A hold is counted in all states but the first and the last. */
    enum State {
        NEW,
        LOCKING,
        LOCKED,
        UNLOCKING,
        /** Locked, but nobody has the handle; the reaper unlocks it. */
        ORPHANED,
        CLOSED
    }

    final boolean onFault;

    State state = State.NEW;
    /** The lock under way or waiting for its turn; null otherwise. */
    Call call;

    /** Where the handle was made, if that was recorded. Written before the caller has the handle, read when it is dropped. */
    Leaks.Place place;

    // One aligned range, as nearly every handle has; or several, as start and end in turn, sorted and disjoint.
    private final long start;
    private final long end;
    private long[] bounds;
    private int count = 1;

    /** How often the kernel had dropped every lock when this one began. */
    int epoch;
    /** The pages could not be locked again after the kernel had dropped them. */
    boolean lost;

    // All holds that are counted.
    Hold previous;
    Hold next;

    Hold(Handle handle, ReferenceQueue<Handle> queue, long start, long end, boolean onFault) {
        super(handle, queue);
        this.start = start;
        this.end = end;
        this.onFault = onFault;
    }

    /** A hold over several aligned ranges, sorted and disjoint, as start and end in turn. */
    Hold(Handle handle, ReferenceQueue<Handle> queue, long[] bounds, boolean onFault) {
        this(handle, queue, bounds[0], bounds[bounds.length - 1], onFault);
        if (bounds.length > 2) {
            narrowTo(bounds, bounds.length / 2);
        }
    }

    int count() {
        return count;
    }

    long start(int index) {
        return bounds == null ? start : bounds[2 * index];
    }

    long end(int index) {
        return bounds == null ? end : bounds[2 * index + 1];
    }

    /** Narrows the claim to what is left of it. */
    void narrowTo(long[] rest, int ranges) {
        bounds = rest;
        count = ranges;
    }

    long bytes() {
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += end(i) - start(i);
        }
        return bytes;
    }

    boolean overlaps(long otherStart, long otherEnd) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (less(otherStart, end(middle))) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low < count && less(start(low), otherEnd);
    }
}
