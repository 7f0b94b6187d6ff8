// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.util.Arrays;

/**
 * A lock, close, renewal or sweep under way, or a lock that waits for its turn: what concerns it alone, and only for so long. It
 * holds all the memory that it needs to end. Guarded by the monitor of {@link LockTable}, but for what its own thread alone reads
 * and writes.
 */
final class Call {
    /** Names what the kernel is asked for a piece of a call that ends. */
    enum Step {
        /** Nobody else holds the piece. */
        UNLOCK,
        /** Others hold it, and the kernel has dropped it while it was left to this call. */
        RENEW,
        /** An address-space lock covers it more strongly than it is locked. */
        STRENGTHEN
    }

    private static final long[] NOTHING = {};

    /** Null for a renewal or a sweep. */
    final Hold hold;

    final Progress progress;
    /** For a renewal, from which part on the parts are locked on fault. */
    private final int firstOnFault;
    // One part, as nearly every call has, or several.
    private final Span only;
    private final Span[] several;

    /** The place in the queue of a lock that waits; null otherwise. */
    Turn turn;
    /** For a lock on fault: the pages that others hold fully, as start and end in turn; null if there are none. */
    long[] heldFully;
    /** The pages that others held when the call began, as start and end in turn; null if there were none. */
    long[] heldByOthers;
    /** Of these, what was not locked: whoever holds it has unmapped it, and other memory is mapped there now. */
    Parts stale;
    /** Of a call for one page: others held it fully when the call began, and no address-space lock was open. */
    boolean isHeldFully;
    /** The only page of the call was found locked just before it is locked. */
    boolean isKnownLocked;
    /** As it is locked, it is in memory, too. */
    boolean isKnownResident;
    /** Nobody else held any of the pages when the call began, none was a leftover, and no address-space lock was open. */
    boolean alone;
    /** The system was asked once, for all of it, and leaves nothing behind when it refuses. */
    boolean leftNothing;
    /** How often the system was asked for the call. */
    int asked;
    /** The pages were locked on fault for a while, since nobody else held them. */
    boolean weakened;
    /** The kernel's drops of every lock that were over when the call last asked. */
    int epoch;
    /** The kernel has dropped every lock since the call began. */
    boolean wasOutdated;
    /** All parts are under way until they are settled; if not, only the piece is. */
    boolean ownsParts;

    // How far a call that ends has come.
    int part;
    boolean isInPart;
    private final Span piece = new Span(this, 0, 0);
    Step step;
    /** How many mappings the kernel frees when the unlock of the piece is done. */
    long mappingsFreed;

    long renewedTo;
    int renewedEpoch = -1;
    /** The kernel has no mappings left to split, and would say so of every further piece. */
    boolean noMoreSplits;

    /** There were leftovers when the call ended. */
    boolean foundLeftovers;

    private boolean keepsRefused;
    /** What stays locked for a hold whose close was refused or could not go on, as start and end in turn. */
    long[] rest = NOTHING;

    int restCount;

    private Call(Hold hold, Progress progress, long start, long end) {
        this.hold = hold;
        this.progress = progress;
        firstOnFault = 1;
        only = new Span(this, start, end);
        several = null;
    }

    private Call(Hold hold, Progress progress, int count, int firstOnFault) {
        this.hold = hold;
        this.progress = progress;
        this.firstOnFault = firstOnFault;
        only = null;
        several = new Span[count];
    }

    /** A call for all that a hold covers. */
    static Call of(Hold hold, Progress progress) {
        if (hold.count() == 1) {
            return new Call(hold, progress, hold.start(0), hold.end(0));
        }
        Call call = new Call(hold, progress, hold.count(), hold.count());
        for (int i = 0; i < hold.count(); i++) {
            call.several[i] = new Span(call, hold.start(i), hold.end(i));
        }
        return call;
    }

    /**
     * A close of a hold, with room for what may stay locked.
     *
     * @param keepsRefused whether the hold keeps what the system refuses to unlock; otherwise it becomes a leftover
     */
    static Call closing(Hold hold, boolean keepsRefused) {
        Call call = of(hold, Progress.UNWATCHED);
        call.rest = new long[2 * call.count()];
        call.keepsRefused = keepsRefused;
        return call;
    }

    /** The renewal of ranges that are locked fully, and of others that are locked on fault. */
    static Call renewal(long[] full, long[] onFault) {
        int fullCount = full.length / 2;
        Call call = new Call(null, Progress.UNWATCHED, fullCount + onFault.length / 2, fullCount);
        for (int i = 0; i < call.several.length; i++) {
            long[] bounds = i < fullCount ? full : onFault;
            int at = 2 * (i < fullCount ? i : i - fullCount);
            call.several[i] = new Span(call, bounds[at], bounds[at + 1]);
        }
        return call;
    }

    static Call sweep() {
        return new Call(null, Progress.UNWATCHED, 0, 0);
    }

    int count() {
        return several == null ? 1 : several.length;
    }

    Span span(int index) {
        return several == null ? only : several[index];
    }

    boolean isLarge() {
        boolean large = false;
        for (int i = 0; i < count(); i++) {
            large |= Steps.isLarge(span(i).end - span(i).start);
        }
        return large;
    }

    boolean isOnFault(int index) {
        return hold != null ? hold.onFault : index >= firstOnFault;
    }

    /** The piece that a call which ends has come to. */
    Span piece() {
        return piece;
    }

    /** Reports whether an address is the end of the piece within a part that is under way. */
    boolean isCutAt(long at) {
        return isInPart && piece.end == at;
    }

    /** Makes room for one more piece that stays locked, if there is memory. */
    void makeRoomForRest() {
        if (keepsRefused && !hasRoomForRest()) {
            rest = Arrays.copyOf(rest, 2 * rest.length);
        }
    }

    /** There must always be room for the rest of this part and for the parts behind it. */
    private boolean hasRoomForRest() {
        return restCount + 2 + 2 * (count() - part) <= rest.length;
    }

    /** Keeps a piece locked for the hold; false if there is no room. */
    boolean keep(Span kept) {
        boolean endsPart = kept.end == span(part).end;
        if (!keepsRefused || !endsPart && !hasRoomForRest()) {
            return false;
        }
        keep(kept.start, kept.end);
        return true;
    }

    /** Keeps everything from an address in the current part on. */
    void keepFrom(long at) {
        if (at != span(part).end) {
            keep(at, span(part).end);
        }
        for (int i = part + 1; i < count(); i++) {
            keep(span(i).start, span(i).end);
        }
    }

    private void keep(long start, long end) {
        rest[restCount++] = start;
        rest[restCount++] = end;
    }
}
