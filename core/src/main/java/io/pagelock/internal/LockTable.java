// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;
import static io.pagelock.spi.Unsigned.min;

import java.util.function.LongPredicate;

/**
 * Who holds which pages, which calls are under way or wait, and what is left over. It decides what a protocol may do next and
 * records what came of it; it never calls the system.
 *
 * <p>Its own monitor guards everything here, and each method asserts that the caller has it. No thread keeps the monitor across a
 * call of the backend. Instead the call is under way: calls for overlapping ranges wait for each other, calls for disjoint ranges do
 * not. A lock is counted before its call and an unlock is discounted after it, so whoever closes meanwhile leaves the pages alone.
 *
 * <p>Methods that begin something may run out of memory and then have changed nothing. Methods that settle, advance or end
 * something need no memory.
 */
final class LockTable {
    private final IntervalCounts pages = new IntervalCounts(new Edges());
    private final IntervalCounts.Cursor look = pages.cursor();
    /** What is under way; never overlaps. */
    private final Spans underWay = new Spans();

    private final Listing listing = new Listing(look);
    private final TurnQueue queue = new TurnQueue(this);
    final OpenHolds holds = new OpenHolds(this);
    final MappingRoom mappings = new MappingRoom(this, pages.cursor());
    final Sweep sweep = new Sweep(this, pages.cursor(), mappings);

    /** How many calls are unlocking. */
    private int unlocking;

    private int waiting;

    /** Not a lambda, here and elsewhere on the way to the first lock: each of them takes a cold JVM milliseconds to link. */
    private final class Edges implements LongPredicate {
        @Override
        public boolean test(long at) {
            return isEdgeOfCall(at);
        }
    }

    /** An address-space lock is open: pages stay locked when holds close. */
    private boolean covered;
    /** Current memory was locked fully for one. */
    private boolean coveredFully;
    /** The kernel is dropping or weakening every lock: nothing begins and nothing is settled but unlocks. */
    private boolean exclusive;
    /** How often it has done so. */
    private int epoch;

    // Locks

    /** Begins a lock unless it has to wait: for calls under way, for those that came before it, or for the kernel. */
    boolean tryBegin(Call call) {
        assert Thread.holdsLock(this);
        boolean mayBegin =
                call.turn == null ? mayBegin(call) && !queue.isWaitedFor(call) : call.turn.isFirst && mayBegin(call);
        if (mayBegin) {
            begin(call);
        } else if (call.turn != null) {
            call.turn.isCalled = false;
        }
        return mayBegin;
    }

    /** Reports whether neither a call under way nor the kernel stands in the way. */
    boolean mayBegin(Call call) {
        assert Thread.holdsLock(this);
        return !exclusive && underWay.first(call) == null;
    }

    private void begin(Call call) {
        Hold hold = call.hold;
        int reserved = 0;
        try {
            for (; reserved < call.count(); reserved++) {
                pages.reserve(call.span(reserved).start, call.span(reserved).end);
            }
            look.moveTo(pages.last());
            Shared.plan(call, look);
        } catch (Error e) {
            while (reserved-- > 0) {
                pages.release(call.span(reserved).start, call.span(reserved).end);
            }
            throw e;
        }
        Turn turn = call.turn;
        if (turn != null) {
            queue.leave(turn);
        }
        mappings.takeToLock(call);
        call.alone = true;
        for (int i = 0; i < call.count(); i++) {
            Span part = call.span(i);
            call.alone &= pages.add(part.start, part.end, hold.onFault);
            underWay.add(part);
        }
        call.alone &= !covered;
        call.isHeldFully &= !covered;
        call.ownsParts = true;
        call.epoch = epoch;
        hold.epoch = epoch;
        hold.state = Hold.State.LOCKING;
        holds.put(hold);
        if (turn != null) {
            queue.passOn(turn);
        }
    }

    /** Puts a call that has to wait into the queue. */
    void enqueue(Turn turn) {
        assert Thread.holdsLock(this);
        queue.add(turn);
    }

    /** Takes a call out of the queue that shall not begin. */
    void leaveQueue(Call call) {
        assert Thread.holdsLock(this);
        if (call.turn != null) {
            queue.cancel(call.turn);
        }
    }

    /** Gives up the place of a call that nobody wants any more. */
    void cancel(Call call) {
        assert Thread.holdsLock(this);
        if (call.turn != null) {
            call.turn.cancel(queue);
        }
    }

    /** Wakes the calls that may begin and that no thread could be found for. */
    void wakeStuck() {
        assert Thread.holdsLock(this);
        if (queue.isStuck()) {
            queue.wakeAll();
        }
    }

    boolean isStuck() {
        assert Thread.holdsLock(this);
        return queue.isStuck();
    }

    /** Ends a lock that has succeeded; false if the kernel has dropped every lock meanwhile, so that it must be asked again. */
    boolean settle(Call call) {
        assert Thread.holdsLock(this);
        if (isOutdated(call)) {
            return false;
        }
        if (call.isKnownResident && covered) {
            // An address-space lock flags as locked what cannot be brought in, too.
            call.isKnownResident = false;
            return false;
        }
        call.hold.state = Hold.State.LOCKED;
        call.hold.call = null;
        endParts(call);
        return true;
    }

    /** Reports whether the kernel has dropped or weakened every lock since the call last asked. */
    boolean isOutdated(Call call) {
        assert Thread.holdsLock(this);
        awaitShared();
        boolean outdated = call.epoch != epoch;
        call.wasOutdated |= outdated;
        call.epoch = epoch;
        return outdated;
    }

    private void endParts(Call call) {
        for (int i = 0; i < call.count(); i++) {
            Span part = call.span(i);
            underWay.remove(part);
            ended(part.start, part.end);
        }
    }

    /** What was under way has ended: its edges need not stay boundaries of the counts, and others may have their turn. */
    private void ended(long start, long end) {
        pages.unpin(start);
        pages.unpin(end);
        if (queue.size() > 0) {
            queue.ended(start, end);
        }
    }

    // Ends: of a hold, of a lock that failed, of a renewal. Piece by piece, from where the call has come to.

    /** Begins to end a hold; false if that is done already or under way. */
    boolean beginClose(Hold hold) {
        assert Thread.holdsLock(this);
        if (hold.state != Hold.State.LOCKED && hold.state != Hold.State.ORPHANED) {
            return false;
        }
        hold.state = Hold.State.UNLOCKING;
        return true;
    }

    /** Begins to end a lock that failed. Its pages stay under way until each of them is settled. */
    void beginUndo(Call call) {
        assert Thread.holdsLock(this);
        call.hold.state = Hold.State.UNLOCKING;
    }

    /**
     * Advances to the next piece of the call's current part that the kernel must be asked about, which is then under way. On the
     * way, pages that others hold are left to them.
     *
     * @return false at the end of the part
     */
    boolean nextPiece(Call call) {
        assert Thread.holdsLock(this);
        awaitShared();
        Span part = call.span(call.part);
        Span piece = call.piece();
        if (!call.isInPart) {
            call.isInPart = true;
            piece.start = part.start;
        }
        while (piece.start != part.end) {
            long from = piece.start;
            boolean renewed = call.renewedEpoch == epoch && less(from, call.renewedTo);
            look.firstEndingAfter(from);
            assert look.count() > 0 && !less(from, look.start()) : "a page of the call is not counted";
            boolean shared = look.count() > 1;
            piece.end = endOfPiece(from, part.end, shared);
            boolean stale = shared && call.stale != null && !isOutdatedNow(call);
            stale = stale && Shared.endsAtEdgeOfStale(call, look) && call.stale.contains(from);
            shared &= !stale;
            if (!call.ownsParts) {
                pages.last().moveTo(look);
                pages.reserve(from, piece.end);
            }
            if (shared && call.ownsParts && !renewed && isOutdatedNow(call)) {
                call.step = Call.Step.RENEW;
                call.renewedEpoch = epoch;
                return true;
            }
            if (!shared && coveredFully && call.weakened && call.step != Call.Step.STRENGTHEN) {
                call.step = Call.Step.STRENGTHEN;
                return true;
            }
            if (!shared && !covered && mappings.takeToUnlock(call, from, piece.end, stale)) {
                call.step = Call.Step.UNLOCK;
                unlocking++;
                if (!call.ownsParts) {
                    underWay.add(piece);
                }
                return true;
            }
            pages.remove(from, piece.end, call.isOnFault(call.part), true);
            advance(call);
        }
        call.isInPart = false;
        return false;
    }

    /** The end of the pages from an address on that others hold, too, or that nobody else holds. */
    private long endOfPiece(long from, long most, boolean shared) {
        long to = from;
        boolean more = true;
        while (more
                && less(to, most)
                && (to == from || look.start() == to)
                && look.count() > 0
                && look.count() > 1 == shared) {
            to = min(look.end(), most);
            more = look.next();
        }
        return to;
    }

    private boolean isOutdatedNow(Call call) {
        return call.wasOutdated || call.epoch != epoch;
    }

    /** Reports whether others hold pages of the piece fully. */
    boolean isHeldFullyByOthers(Call call) {
        assert Thread.holdsLock(this);
        Span piece = call.piece();
        int mine = call.isOnFault(call.part) ? 0 : 1;
        boolean more = look.firstEndingAfter(piece.start);
        for (; more && less(look.start(), piece.end); more = look.next()) {
            if (look.full() > mine) {
                return true;
            }
        }
        return false;
    }

    /**
     * Records what came of a piece. One that was not unlocked is kept for the hold if there is room for it in the call, and a
     * leftover otherwise.
     */
    void settlePiece(Call call, boolean done) {
        assert Thread.holdsLock(this);
        Span piece = call.piece();
        if (call.step == Call.Step.UNLOCK) {
            endUnlocking();
            if (done) {
                mappings.giveBack(call);
            }
            if (done || !call.keep(piece)) {
                pages.remove(piece.start, piece.end, call.isOnFault(call.part), !done);
            }
            advance(call);
        } else if (call.step == Call.Step.RENEW) {
            // Others may have closed meanwhile, so what to do with the piece is decided again.
            call.renewedTo = piece.end;
            if (!done) {
                holds.lose(piece.start, piece.end, call.renewedEpoch);
            }
        }
    }

    private void endUnlocking() {
        if (--unlocking == 0 && waiting > 0) {
            notifyAll();
        }
    }

    /** Moves on behind the piece, which is not under way any more. */
    private void advance(Call call) {
        Span piece = call.piece();
        long from = piece.start;
        long to = piece.end;
        if (call.ownsParts) {
            Span part = call.span(call.part);
            if (to == part.end) {
                underWay.remove(part);
            }
            part.start = to;
        } else if (call.step == Call.Step.UNLOCK) {
            underWay.remove(piece);
        }
        call.step = null;
        piece.start = to;
        ended(from, to);
    }

    /** Keeps for a hold what a close that cannot go on has not come to. */
    void stopClose(Call call) {
        assert Thread.holdsLock(this);
        call.keepFrom(call.isInPart ? call.piece().start : call.span(call.part).start);
        endClose(call);
    }

    /** Ends a close or undo that has come to the end of all parts. */
    void endClose(Call call) {
        assert Thread.holdsLock(this);
        Hold hold = call.hold;
        hold.call = null;
        if (call.restCount > 0) {
            hold.narrowTo(call.rest, call.restCount / 2);
            hold.state = Hold.State.LOCKED;
            return;
        }
        hold.state = Hold.State.CLOSED;
        holds.take(hold);
    }

    // Address-space locks

    /**
     * From now on pages stay locked when holds close, for an address-space lock. Returns when no unlock is under way that could
     * tear a hole into it.
     *
     * @param fully whether it locks current memory, and not on fault
     */
    void cover(boolean fully) {
        assert Thread.holdsLock(this);
        covered = true;
        coveredFully |= fully;
        awaitUnlocks();
    }

    void uncover() {
        assert Thread.holdsLock(this);
        covered = false;
        coveredFully = false;
        sweep.soon();
    }

    /** Keeps everything as it is while the kernel drops or weakens every lock: nothing begins, and only unlocks end. */
    void beginExclusive() {
        assert Thread.holdsLock(this);
        assert !exclusive : "calls for the address space do not take turns";
        exclusive = true;
        awaitUnlocks();
    }

    /** Lists the ranges that holds and calls hold. */
    Parts held() {
        assert Thread.holdsLock(this);
        Parts all = new Parts();
        listing.held(all, 0, Integer.MAX_VALUE);
        return all;
    }

    /**
     * Lists those from an address on, but looks at only so many intervals.
     *
     * @return where to go on; 0 at the end
     */
    long held(Parts all, long from, int most) {
        assert Thread.holdsLock(this);
        return listing.held(all, from, most);
    }

    /** Plans to lock again what is held and not under way; what is under way asks again by itself. */
    Call planRenewal() {
        assert Thread.holdsLock(this);
        return listing.renewal(underWay);
    }

    /**
     * Ends the time in which the kernel dropped or weakened every lock, and begins the renewal: calls for its pages wait for
     * their part of it, all others go on.
     *
     * @param uncovered whether pages are no longer locked for the address space
     */
    void endExclusive(Call renewal, boolean uncovered) {
        assert Thread.holdsLock(this);
        if (uncovered) {
            uncover();
            pages.removeLeftovers(0, -1);
        }
        renewal.ownsParts = true;
        for (int i = 0; i < renewal.count(); i++) {
            Span part = renewal.span(i);
            pages.add(part.start, part.end, renewal.isOnFault(i));
            underWay.add(part);
        }
        epoch++;
        renewal.epoch = epoch;
        endExclusive();
    }

    /** Ends an exclusive time in which nothing has happened. */
    void endExclusive() {
        assert Thread.holdsLock(this);
        exclusive = false;
        notifyAll();
        queue.wakeAll();
    }

    int epoch() {
        assert Thread.holdsLock(this);
        return epoch;
    }

    // Leftovers

    /** Reports whether leftovers must wait: for the end of an address-space lock, or for the kernel. */
    boolean keepsLeftovers() {
        assert Thread.holdsLock(this);
        return covered || exclusive;
    }

    void beginUnlock(Span leftover) {
        assert Thread.holdsLock(this);
        unlocking++;
        underWay.add(leftover);
    }

    void endUnlock(Span leftover, boolean done) {
        assert Thread.holdsLock(this);
        endUnlocking();
        underWay.remove(leftover);
        if (done) {
            pages.removeLeftovers(leftover.start, leftover.end);
        }
        ended(leftover.start, leftover.end);
    }

    boolean isCovered() {
        assert Thread.holdsLock(this);
        return covered;
    }

    // Waiting. An interrupt does not end a wait, since the table must be set right first. To wait needs no memory.

    /** Waits until the kernel is not dropping or weakening every lock. */
    void awaitShared() {
        assert Thread.holdsLock(this);
        boolean interrupted = false;
        while (exclusive) {
            interrupted |= pause();
        }
        restore(interrupted);
    }

    private void awaitUnlocks() {
        boolean interrupted = false;
        while (unlocking > 0) {
            interrupted |= pause();
        }
        restore(interrupted);
    }

    /** Waits for a change; reports whether the thread was interrupted instead. */
    private boolean pause() {
        waiting++;
        try {
            wait();
            return false;
        } catch (InterruptedException e) {
            return true;
        } finally {
            waiting--;
        }
    }

    static void restore(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // Edges and figures

    /** Reports whether the address is an edge of something under way, which must stay a boundary of the counts. */
    private boolean isEdgeOfCall(long at) {
        for (Span span = underWay.first(at - 1, at + 1); span != null; span = underWay.first(span.end, at + 1)) {
            if (span.start == at || span.end == at || span.call.isCutAt(at)) {
                return true;
            }
            if (!less(span.end, at + 1)) {
                return false;
            }
        }
        return false;
    }

    long heldBytes() {
        assert Thread.holdsLock(this);
        return pages.heldBytes();
    }

    long leftoverBytes() {
        assert Thread.holdsLock(this);
        return pages.leftoverBytes();
    }
}
