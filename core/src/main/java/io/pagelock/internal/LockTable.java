// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;
import static io.pagelock.spi.Unsigned.min;

import io.pagelock.MemoryRange;
import java.util.ArrayList;
import java.util.List;

/**
 * Who holds which pages, which calls are under way or wait, and what is left over. It decides what a protocol may do next and
 * records what came of it; it never calls the system.
 *
 * <p>Its own monitor guards everything here, and each method asserts that the caller has it. No thread keeps the monitor across a
 * call of the backend. Instead the call is under way: calls for overlapping ranges wait for each other, calls for disjoint ranges do
 * not. A lock is counted before its call and an unlock is discounted after its call, so whoever closes meanwhile leaves the pages
 * alone.
 *
 * <p>Methods that begin something may run out of memory and then have changed nothing. Methods that settle, advance or end
 * something need no memory.
 */
final class LockTable {
    /** How many leftovers one sweep tries, so that a close stays quick however many there are. */
    private static final int SWEEP = 16;
    /** How many intervals one sweep looks at. */
    private static final int SWEEP_LOOK = 256;
    /** So many sweeps in a row may fail before the next ones are put off. */
    private static final int FAILURES_AT_ONCE = 4;

    private static final int LONGEST_PAUSE = 1 << 16;

    // How the kernel has a page locked: mappings of different modes do not join.
    private static final int UNLOCKED = 0;
    private static final int FULL = 1;
    private static final int ON_FAULT = 2;

    private final IntervalCounts pages = new IntervalCounts(this::isEdgeOfCall);
    private final IntervalCounts.Cursor look = pages.cursor();
    /** What is under way; never overlaps. */
    private final Spans underWay = new Spans();

    private final TurnQueue queue = new TurnQueue(this);
    /** How many calls are unlocking. */
    private int unlocking;

    private int waiting;
    /** An address-space lock is open: pages stay locked when holds close. */
    private boolean covered;
    /** Current memory was locked fully for one. */
    private boolean coveredFully;
    /** The kernel is dropping or weakening every lock: nothing begins and nothing is settled but unlocks. */
    private boolean exclusive;
    /** How often it has done so. */
    private int epoch;

    private Hold firstHold;
    private long openHolds;
    /** How many more mappings the kernel may need for what begins, before they must be counted again. */
    private long mappingRoom = Long.MAX_VALUE;

    private boolean sweeping;
    private long sweepFrom;
    private int sweepLooks;
    private int sweepTries;
    private boolean sweepDone;
    private int failedSweeps;
    /** How many closes pass by before the next sweep. */
    private int pause;

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
            if (hold.onFault) {
                planOnFault(call);
            }
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
        mappingRoom -= mappingsToLock(call);
        call.alone = true;
        for (int i = 0; i < call.count(); i++) {
            Span part = call.span(i);
            call.alone &= pages.add(part.start, part.end, hold.onFault);
            underWay.add(part);
        }
        call.alone &= !covered;
        call.ownsParts = true;
        call.epoch = epoch;
        hold.epoch = epoch;
        hold.state = Hold.State.LOCKING;
        put(hold);
        if (turn != null) {
            queue.passOn(turn);
        }
    }

    /** Where others hold pages fully, a lock on fault asks for a full lock: on Linux the later call decides for both. */
    private void planOnFault(Call call) {
        Parts heldFully = null;
        for (int i = 0; i < call.count(); i++) {
            Span part = call.span(i);
            boolean more = look.firstEndingAfter(part.start);
            for (; more && less(look.start(), part.end); more = look.next()) {
                if (look.full() > 0) {
                    heldFully = heldFully == null ? new Parts() : heldFully;
                    heldFully.add(look.start(), look.end());
                }
            }
        }
        call.heldFully = heldFully == null ? null : heldFully.toArray();
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
            pages.unpin(part.start);
            pages.unpin(part.end);
            ended(part.start, part.end);
        }
    }

    private void ended(long start, long end) {
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
            if (!call.ownsParts) {
                pages.reserve(from, piece.end);
            }
            if (shared && call.ownsParts && !renewed && (call.wasOutdated || call.epoch != epoch)) {
                call.step = Call.Step.RENEW;
                call.renewedEpoch = epoch;
                return true;
            }
            if (!shared && coveredFully && call.weakened && call.step != Call.Step.STRENGTHEN) {
                call.step = Call.Step.STRENGTHEN;
                return true;
            }
            if (!shared && !covered && takeMappingRoom(call, from, piece.end)) {
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

    /** Takes the mappings that an unlock needs, if there are any. */
    private boolean takeMappingRoom(Call call, long from, long to) {
        long needed = isMappingLimited() ? mappingsToUnlock(from, to, modeAt(from)) : 0;
        if (needed > 0 && (needed > mappingRoom || call.noMoreSplits)) {
            return false;
        }
        mappingRoom -= needed;
        return true;
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
            if (done || !call.keep(piece)) {
                pages.remove(piece.start, piece.end, call.isOnFault(call.part), !done);
            }
            advance(call);
        } else if (call.step == Call.Step.RENEW) {
            // Others may have closed meanwhile, so what to do with the piece is decided again.
            call.renewedTo = piece.end;
            if (!done) {
                lose(piece.start, piece.end, call.renewedEpoch);
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
        pages.unpin(from);
        pages.unpin(to);
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
        take(hold);
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
        pause = 0;
    }

    /** Keeps everything as it is while the kernel drops or weakens every lock: nothing begins, and only unlocks end. */
    void beginExclusive() {
        assert Thread.holdsLock(this);
        awaitShared();
        exclusive = true;
        awaitUnlocks();
    }

    /** Lists the ranges that holds and calls hold. */
    List<MemoryRange> held() {
        assert Thread.holdsLock(this);
        Parts all = new Parts();
        for (boolean more = look.firstEndingAfter(0); more; more = look.next()) {
            if (look.count() > 0) {
                all.add(look.start(), look.end());
            }
        }
        long[] bounds = all.toArray();
        List<MemoryRange> ranges = new ArrayList<>(bounds.length / 2);
        for (int i = 0; i < bounds.length; i += 2) {
            ranges.add(MemoryRange.of(bounds[i], bounds[i + 1] - bounds[i]));
        }
        return ranges;
    }

    /** Plans to lock again what is held and not under way; what is under way asks again by itself. */
    Call planRenewal() {
        assert Thread.holdsLock(this);
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

    /** Marks the holds that lost pages; one that began in the given epoch or later has lost nothing. */
    void lose(long start, long end, int before) {
        assert Thread.holdsLock(this);
        for (Hold hold = firstHold; hold != null; hold = hold.next) {
            hold.lost |= hold.epoch - before < 0 && hold.overlaps(start, end);
        }
    }

    /** Marks the holds that lost pages of several ranges. */
    void lose(Parts lost, int before) {
        assert Thread.holdsLock(this);
        for (Hold hold = firstHold; hold != null; hold = hold.next) {
            if (hold.epoch - before < 0 && !hold.lost) {
                hold.lost = lost.overlaps(hold);
            }
        }
    }

    // Leftovers

    /** Begins a sweep; false if there is nothing to do, or not now. */
    boolean beginSweep() {
        assert Thread.holdsLock(this);
        if (sweeping || covered || exclusive || pages.leftoverBytes() == 0) {
            return false;
        }
        if (pause > 0) {
            pause--;
            return false;
        }
        sweeping = true;
        sweepLooks = 0;
        sweepTries = 0;
        sweepDone = false;
        return true;
    }

    /** Lets the next sweep begin at once. */
    void sweepSoon() {
        assert Thread.holdsLock(this);
        pause = 0;
    }

    /** Advances to the next leftover, which is then under way; false if the sweep has done enough. */
    boolean nextLeftover(Call sweep) {
        assert Thread.holdsLock(this);
        Span piece = sweep.piece();
        if (covered || exclusive || sweepTries == SWEEP) {
            return false;
        }
        boolean more = look.firstEndingAfter(sweepFrom);
        for (; sweepLooks < SWEEP_LOOK; sweepLooks++) {
            if (!more) {
                sweepFrom = 0;
                return false;
            }
            sweepFrom = look.end();
            if (look.isLeftover()) {
                piece.start = look.start();
                piece.end = look.end();
                sweepTries++;
                if (takeMappingRoom(sweep, piece.start, piece.end)) {
                    unlocking++;
                    underWay.add(piece);
                    return true;
                }
                look.firstEndingAfter(piece.start);
            }
            more = look.next();
        }
        return false;
    }

    void settleLeftover(Call sweep, boolean done) {
        assert Thread.holdsLock(this);
        Span piece = sweep.piece();
        endUnlocking();
        underWay.remove(piece);
        sweepDone |= done;
        if (done) {
            pages.removeLeftovers(piece.start, piece.end);
        }
        pages.unpin(piece.start);
        pages.unpin(piece.end);
        ended(piece.start, piece.end);
    }

    /** Ends a sweep. If nothing could be unlocked a few times in a row, the next ones come later and later. */
    void endSweep() {
        assert Thread.holdsLock(this);
        sweeping = false;
        if (sweepDone) {
            failedSweeps = 0;
        } else if (sweepTries > 0 && ++failedSweeps > FAILURES_AT_ONCE) {
            pause = Math.min(LONGEST_PAUSE, 1 << Math.min(16, failedSweeps - FAILURES_AT_ONCE));
        }
    }

    boolean hasLeftovers() {
        assert Thread.holdsLock(this);
        return pages.leftoverBytes() > 0;
    }

    boolean isCovered() {
        assert Thread.holdsLock(this);
        return covered;
    }

    // Mappings: a locked range between unlocked ones takes two more than it had, and so does an unlocked one between
    // locked ones.

    /** Reports whether the kernel may lack the mappings for a lock, unless they are counted again. */
    boolean lacksMappings(Call call) {
        assert Thread.holdsLock(this);
        return mappingRoom < 2L * call.count() && mappingRoom < mappingsToLock(call);
    }

    boolean lacksMappings() {
        assert Thread.holdsLock(this);
        return mappingRoom < 2;
    }

    private long mappingsToLock(Call call) {
        long needed = 0;
        for (int i = 0; isMappingLimited() && i < call.count(); i++) {
            Span part = call.span(i);
            int mode = call.isOnFault(i) ? ON_FAULT : FULL;
            boolean isFree = !look.firstEndingAfter(part.start)
                    || !less(look.start(), part.end)
                    || look.count() == 0 && !look.isLeftover() && look.end() == part.end;
            if (isFree) {
                needed -= mappingsToUnlock(part.start, part.end, mode);
            } else {
                boolean isWithin = !less(part.start, look.start()) && !less(look.end(), part.end);
                needed += isWithin && (mode == ON_FAULT || modeOfLook() == FULL) ? 0 : 2;
            }
        }
        return needed;
    }

    /** Each side has an edge of mappings now if the neighbour's mode differs, and afterwards if the neighbour is locked. */
    private long mappingsToUnlock(long from, long to, int mode) {
        if (!isMappingLimited()) {
            return 0;
        }
        int before = modeAt(from - 1);
        int after = modeAt(to);
        return (before == UNLOCKED ? 0 : 1)
                - (before == mode ? 0 : 1)
                + (after == UNLOCKED ? 0 : 1)
                - (after == mode ? 0 : 1);
    }

    private int modeAt(long at) {
        return look.firstEndingAfter(at) && !less(at, look.start()) ? modeOfLook() : UNLOCKED;
    }

    private int modeOfLook() {
        return look.isLeftover() || look.full() > 0 ? FULL : look.onFault() > 0 ? ON_FAULT : UNLOCKED;
    }

    private boolean isMappingLimited() {
        return mappingRoom != Long.MAX_VALUE;
    }

    void setMappingRoom(long room) {
        assert Thread.holdsLock(this);
        mappingRoom = room;
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

    // Edges and lists

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

    private void put(Hold hold) {
        hold.next = firstHold;
        if (firstHold != null) {
            firstHold.previous = hold;
        }
        firstHold = hold;
        openHolds++;
    }

    private void take(Hold hold) {
        if (hold.previous == null) {
            firstHold = hold.next;
        } else {
            hold.previous.next = hold.next;
        }
        if (hold.next != null) {
            hold.next.previous = hold.previous;
        }
        hold.previous = null;
        hold.next = null;
        openHolds--;
    }

    // Figures

    long openHolds() {
        assert Thread.holdsLock(this);
        return openHolds;
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
