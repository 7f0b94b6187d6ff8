// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.Backend;
import io.pagelock.spi.PageStateReading;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Who holds which pages, and the order of system calls that keeps the kernel in agreement.
 *
 * <p>The monitor guards the books and is never held across a call of the backend. Instead, a hold whose call is under way is
 * <em>in flight</em>: calls for overlapping ranges wait for each other, calls for disjoint ranges do not. A lock is counted
 * before its call and an unlock is discounted after its call, so that whoever closes meanwhile leaves the pages alone.
 */
final class RangeLocks {
    private static final long[] NOTHING = {};
    /** How many pages to look at in one go when the limit refused; bounds the memory that the look takes. */
    private static final int LOOK = 1 << 20;
    /** How many strays one sweep tries, so that a close stays quick however many there are. */
    private static final int SWEEP = 16;

    private final Backend backend;
    private final PageStateReading states;
    private final Steps steps;
    private final long pageSize;
    private final Object monitor = new Object();

    // All guarded by the monitor.
    private final IntervalCounts held = new IntervalCounts(true);
    /** What no hold covers and the kernel may still have locked. */
    private final IntervalCounts strays = new IntervalCounts(true);
    /** The parts of all holds in flight, which never overlap. */
    private final IntervalCounts busy = new IntervalCounts(false);

    private Hold firstInFlight;
    private int unlocking;
    private int waiting;
    /** An address-space lock is open: pages stay locked when holds close. */
    private boolean covered;
    /** Current memory was locked fully for one. */
    private boolean coveredFully;
    /** The kernel is dropping or weakening everything: new calls wait. */
    private boolean exclusive;

    private Hold first;
    private long openHolds;
    private int abandoned;

    private boolean sweeping;
    /** Where the next sweep goes on. */
    private long sweepFrom;
    /** Locks that have no turn yet and no thread to wait in, in the order in which they came. */
    private Parked firstParked;

    private Parked lastParked;

    /** What to do when a hold may have its turn. */
    private static final class Parked {
        private final Hold hold;
        private final BooleanSupplier retry;
        private Parked next;
        /** The work could not be handed on, so whatever lands is a reason to try again. */
        private boolean failed;

        private Parked(Hold hold, BooleanSupplier retry) {
            this.hold = hold;
            this.retry = retry;
        }

        /** Whether it may have waited for this one; null for all. */
        private boolean waitedFor(Hold landed) {
            return landed == null
                    || failed
                    || IntervalCounts.less(hold.outerStart(), landed.outerEnd())
                            && IntervalCounts.less(landed.outerStart(), hold.outerEnd());
        }

        private boolean handOn() {
            failed = !retry.getAsBoolean();
            return !failed;
        }
    }

    RangeLocks(Backend backend) {
        this.backend = backend;
        states = Abilities.pageStates(backend);
        steps = new Steps(backend);
        this.pageSize = backend.pageSize();
    }

    /** Locks the pages of the hold. When it throws, the hold is void and what it added is unlocked again. */
    void acquire(Hold hold) {
        synchronized (monitor) {
            awaitTurn(hold);
            check(hold);
            begin(hold);
        }
        carryOut(hold);
    }

    /** Asks the system for what was begun. */
    void carryOut(Hold hold) {
        try {
            do {
                askOnce(hold);
            } while (mustAskAgain(hold));
        } catch (Throwable failure) {
            undo(hold, failure);
            throw failure;
        }
    }

    /**
     * Begins a lock, unless it would have to wait for its turn.
     *
     * @return false if it would; nothing has happened then
     */
    boolean tryBegin(Hold hold) {
        synchronized (monitor) {
            if (!hasTurn(hold)) {
                return false;
            }
            begin(hold);
            return true;
        }
    }

    /**
     * Begins a lock, or remembers to try again when it may have its turn.
     *
     * @param retry runs under the monitor, so it must only hand the work on; false if it could not, to be asked again
     * @return whether it has begun
     */
    boolean beginOrPark(Hold hold, BooleanSupplier retry) {
        synchronized (monitor) {
            if (hasTurn(hold)) {
                check(hold);
                begin(hold);
                return true;
            }
            park(new Parked(hold, retry));
            return false;
        }
    }

    /**
     * Ends a lock that the system has carried out or refused. When it throws, the hold is void.
     *
     * @param refusal the refusal; null if there was none
     */
    void conclude(Hold hold, PageLockException refusal) {
        try {
            if (refusal != null && !askForTheRest(hold, 0, refusal) && !isDropped(hold)) {
                throw at(hold.start(0), hold.end(0), refusal);
            }
            while (mustAskAgain(hold)) {
                askOnce(hold);
            }
        } catch (Throwable failure) {
            undo(hold, failure);
            throw failure;
        }
    }

    /** Takes back a lock that was begun and that the system never saw. */
    void fail(Hold hold, Throwable failure) {
        undo(hold, failure);
    }

    private static void check(Hold hold) {
        if (hold.progress.isCancelled()) {
            throw PageLockException.because(Reason.CANCELLED)
                    .detail("cancelled after " + hold.progress.bytes() + " bytes")
                    .build();
        }
    }

    /** Counts the hold and puts it in flight; what runs out of memory here has not happened. */
    private void begin(Hold hold) {
        takeOff(hold);
        int counted = 0;
        try {
            for (; counted < hold.count(); counted++) {
                held.add(hold.start(counted), hold.end(counted), hold.onFault);
            }
            for (int i = 0; i < hold.count(); i++) {
                strays.clear(hold.start(i), hold.end(i));
            }
        } catch (Error e) {
            while (counted-- > 0) {
                held.remove(hold.start(counted), hold.end(counted), hold.onFault);
            }
            land(hold);
            throw e;
        }
        link(hold);
    }

    private boolean mustAskAgain(Hold hold) {
        synchronized (monitor) {
            // What the system dropped in this moment is asked for again before the caller may rely on it.
            awaitShared();
            if (hold.askAgain) {
                hold.askAgain = false;
                return true;
            }
            hold.progress = Progress.UNWATCHED;
            land(hold);
            return false;
        }
    }

    /** Asks; a refusal counts only if it was not caused by the system dropping everything meanwhile. */
    private void askOnce(Hold hold) {
        try {
            ask(hold);
        } catch (PageLockException refused) {
            if (!isDropped(hold)) {
                throw refused;
            }
        }
    }

    /** Whether the system may have dropped pages of the hold while its call was under way. */
    private boolean isDropped(Hold hold) {
        synchronized (monitor) {
            awaitShared();
            return hold.askAgain;
        }
    }

    private void ask(Hold hold) {
        for (int i = 0; i < hold.count(); i++) {
            check(hold);
            long start = hold.start(i);
            long end = hold.end(i);
            try {
                if (hold.onFault) {
                    askOnFault(start, end, hold.progress);
                } else {
                    long length = end - start;
                    steps.lock(start, length, Steps.isLarge(length) && mayWeaken(hold, i), hold.progress);
                }
            } catch (RuntimeException e) {
                PageLockException refusal = at(start, end, e);
                if (!askForTheRest(hold, i, refusal)) {
                    throw refusal;
                }
            }
        }
    }

    private boolean mayWeaken(Hold hold, int part) {
        synchronized (monitor) {
            boolean alone = isAlone(hold, part);
            hold.weakened |= alone;
            return alone;
        }
    }

    private boolean isAlone(Hold hold, int part) {
        synchronized (monitor) {
            return !covered && !held.anyAtLeast(hold.start(part), hold.end(part), 2);
        }
    }

    /** Where another hold is a full one, asks for a full lock: on Linux the later call decides for both. */
    private void askOnFault(long start, long end, Progress progress) {
        List<long[]> pieces = new ArrayList<>();
        synchronized (monitor) {
            held.forEach(start, end, (from, to, full, onFault) -> {
                long[] last = pieces.isEmpty() ? null : pieces.get(pieces.size() - 1);
                int kind = full > 0 ? 1 : 0;
                if (last != null && last[2] == kind) {
                    last[1] = to;
                } else {
                    pieces.add(new long[] {from, to, kind});
                }
            });
        }
        for (long[] piece : pieces) {
            if (piece[2] == 0) {
                backend.lock(piece[0], piece[1] - piece[0], LockOptions.ON_FAULT);
            } else {
                // Resident, unless the memory was mapped anew; then this pages in.
                steps.lock(piece[0], piece[1] - piece[0], false, progress);
            }
        }
    }

    /**
     * After a refusal for the limit: if the kernel still holds a part, asks for the others alone. The limit may have been
     * lowered below what is held, and FreeBSD charges pages again that are locked already.
     *
     * @return whether every page is locked now
     */
    private boolean askForTheRest(Hold hold, int part, PageLockException refusal) {
        if (refusal.reason() != Reason.OVER_LIMIT && refusal.reason() != Reason.NOT_PERMITTED
                || !backend.capabilities().contains(Capability.LOCKED_PAGES)
                || isAlone(hold, part)) {
            return false;
        }
        long start = hold.start(part);
        long end = hold.end(part);
        for (long from = start; from != end; ) {
            long to = end - from > LOOK * pageSize ? from + LOOK * pageSize : end;
            PageStates states = this.states.pageStates(MemoryRange.of(from, to - from));
            int pages = states.pageCount();
            for (int page = 0; page < pages; page++) {
                if (isLocked(states, page, hold.onFault)) {
                    continue;
                }
                int last = page;
                while (last + 1 < pages && !isLocked(states, last + 1, hold.onFault)) {
                    last++;
                }
                if (last - page + 1L == (end - start) / pageSize) {
                    return false;
                }
                try {
                    backend.lock(from + page * pageSize, (last - page + 1) * pageSize, LockOptions.of(hold.onFault));
                } catch (RuntimeException again) {
                    return false;
                }
                page = last;
            }
            from = to;
        }
        return true;
    }

    private static boolean isLocked(PageStates states, int page, boolean onFault) {
        return states.locked(page) == Tristate.YES && (onFault || states.resident(page) == Tristate.YES);
    }

    /** Takes a failed lock back. What cannot be unlocked becomes stray and is added to the failure. */
    private void undo(Hold hold, Throwable failure) {
        try {
            beginUndo(hold);
            for (PageLockException refused : unlockOrStray(hold)) {
                suppress(failure, refused);
            }
        } catch (Throwable second) {
            abandonOpen(hold);
            suppress(failure, second);
        }
    }

    /**
     * Narrows the hold to what must be unlocked. If the system dropped everything while this lock was under way, first asks
     * again for the pages that others hold too: they were left to this lock, whose turn it still is. From the last look on,
     * nothing is dropped until the unlock is done; in between, what is unlocked could be locked again with what is kept.
     */
    private void beginUndo(Hold hold) {
        while (true) {
            Parts full = new Parts();
            Parts onFault = new Parts();
            synchronized (monitor) {
                awaitShared();
                if (!hold.disturbed) {
                    narrow(hold);
                    hold.flyOn(busy);
                    tellWaiting(hold);
                    hold.state = Hold.State.CLOSING;
                    startUnlocking(hold);
                    return;
                }
                hold.disturbed = false;
                for (int i = 0; i < hold.count(); i++) {
                    held.forEach(hold.start(i), hold.end(i), (start, end, fullCount, onFaultCount) -> {
                        if (fullCount + onFaultCount > 1) {
                            boolean isFull = fullCount > (hold.onFault ? 0 : 1);
                            (isFull ? full : onFault).add(start, end);
                        }
                    });
                }
            }
            // One after the other, since both together are not in ascending order.
            lose(renew(onFault, true));
            lose(renew(full, false));
        }
    }

    private Parts renew(Parts parts, boolean onFault) {
        Parts lost = new Parts();
        long[] bounds = parts.toArray();
        for (int i = 0; i < bounds.length; i += 2) {
            try {
                if (onFault) {
                    backend.lock(bounds[i], bounds[i + 1] - bounds[i], LockOptions.ON_FAULT);
                } else {
                    steps.lock(bounds[i], bounds[i + 1] - bounds[i], false, Progress.UNWATCHED);
                }
            } catch (RuntimeException e) {
                lost.add(bounds[i], bounds[i + 1]);
            }
        }
        return lost;
    }

    /** Unlocks a hold that nobody can close again: a leaked one. The hold is closed afterwards, or tried again by sweeps. */
    void abandon(Hold hold) {
        try {
            synchronized (monitor) {
                if (hold.state != Hold.State.OPEN) {
                    return;
                }
                hold.state = Hold.State.CLOSING;
                awaitShared();
                if (hold.abandoned) {
                    hold.abandoned = false;
                    abandoned--;
                }
                narrow(hold);
                takeOff(hold);
                startUnlocking(hold);
            }
            unlockOrStray(hold);
        } catch (Throwable failure) {
            abandonOpen(hold);
            throw failure;
        }
        sweep();
    }

    /** Leaves a hold that could not be unlocked, for lack of memory at worst, to later sweeps. */
    private void abandonOpen(Hold hold) {
        synchronized (monitor) {
            if (hold.state == Hold.State.CLOSED) {
                return;
            }
            reopen(hold);
            if (!hold.abandoned) {
                hold.abandoned = true;
                abandoned++;
            }
        }
    }

    private List<PageLockException> unlockOrStray(Hold hold) {
        List<PageLockException> refused = new ArrayList<>();
        boolean leave;
        boolean weaker;
        synchronized (monitor) {
            leave = covered;
            weaker = coveredFully && hold.weakened;
        }
        if (weaker) {
            // An address-space lock came after these pages were found to be nobody else's.
            strengthen(hold);
        }
        long[] rest = leave ? allOf(hold) : unlock(hold, refused);
        synchronized (monitor) {
            prepare(hold);
            stray(rest);
            discount(hold);
            finish(hold);
        }
        return refused;
    }

    private void strengthen(Hold hold) {
        for (int i = 0; i < hold.count(); i++) {
            try {
                steps.lock(hold.start(i), hold.end(i) - hold.start(i), false, Progress.UNWATCHED);
            } catch (RuntimeException e) {
                // As strong as it can be.
                continue;
            }
        }
    }

    private void stray(long[] parts) {
        for (int i = 0; i < parts.length; i += 2) {
            strays.add(parts[i], parts[i + 1], false);
        }
    }

    /**
     * Unlocks the pages that only this hold covers. A hold that is closed or being closed is left alone.
     *
     * @throws PageLockException if the system refused; the hold is open then and covers what is still locked
     */
    void release(Hold hold) {
        // Made first: without memory for it, nothing has begun.
        List<PageLockException> refused = new ArrayList<>();
        synchronized (monitor) {
            if (hold.state != Hold.State.OPEN) {
                return;
            }
            hold.state = Hold.State.CLOSING;
            try {
                awaitShared();
                narrow(hold);
                if (covered || hold.count() == 0) {
                    prepare(hold);
                    stray(covered ? allOf(hold) : NOTHING);
                    discount(hold);
                    finish(hold);
                    return;
                }
                takeOff(hold);
            } catch (Error e) {
                hold.state = Hold.State.OPEN;
                throw e;
            }
            startUnlocking(hold);
        }
        boolean closed = false;
        boolean mustSweep = true;
        try {
            long[] rest = unlock(hold, refused);
            synchronized (monitor) {
                prepare(hold);
                keepOnly(hold, rest);
                if (rest.length == 0) {
                    finish(hold);
                    closed = true;
                    mustSweep = !strays.isEmpty() || abandoned > 0;
                }
            }
        } finally {
            if (!closed) {
                synchronized (monitor) {
                    reopen(hold);
                }
            }
        }
        if (mustSweep) {
            sweep();
        }
        if (!refused.isEmpty()) {
            PageLockException failure = refused.get(0);
            refused.stream().skip(1).forEach(other -> suppress(failure, other));
            throw failure;
        }
    }

    /** Gives up what others hold too, so that the hold covers only what it alone must unlock. */
    private void narrow(Hold hold) {
        if (hold.count() == 1 && held.isSole(hold.start(0), hold.end(0))) {
            return;
        }
        prepare(hold);
        Parts sole = new Parts();
        for (int i = 0; i < hold.count(); i++) {
            held.addSole(hold.start(i), hold.end(i), sole);
        }
        long[] rest = sole.toArray();
        for (int i = 0; i < hold.count(); i++) {
            held.removeShared(hold.start(i), hold.end(i), hold.onFault);
        }
        hold.narrowTo(rest);
    }

    /** Does what may need memory, so that discounting does not. */
    private void prepare(Hold hold) {
        for (int i = 0; i < hold.count(); i++) {
            held.prepare(hold.start(i), hold.end(i));
        }
    }

    private void discount(Hold hold) {
        for (int i = 0; i < hold.count(); i++) {
            held.remove(hold.start(i), hold.end(i), hold.onFault);
        }
        hold.narrowTo(NOTHING);
    }

    /** Discounts what was unlocked, so that the hold covers the rest. */
    private void keepOnly(Hold hold, long[] rest) {
        int at = 0;
        for (int i = 0; i < hold.count(); i++) {
            if (at < rest.length && rest[at] == hold.start(i)) {
                at += 2;
            } else {
                held.remove(hold.start(i), hold.end(i), hold.onFault);
            }
        }
        hold.narrowTo(rest);
    }

    private static long[] allOf(Hold hold) {
        long[] all = new long[2 * hold.count()];
        for (int i = 0; i < hold.count(); i++) {
            all[2 * i] = hold.start(i);
            all[2 * i + 1] = hold.end(i);
        }
        return all;
    }

    /** Unlocks every part of the hold and returns the parts that the system refused to unlock. */
    private long[] unlock(Hold hold, List<PageLockException> refused) {
        long[] rest = NOTHING;
        int failed = 0;
        for (int i = 0; i < hold.count(); i++) {
            long start = hold.start(i);
            long end = hold.end(i);
            try {
                unlock(start, end);
            } catch (RuntimeException e) {
                if (rest.length == 0) {
                    rest = new long[2 * (hold.count() - i)];
                }
                rest[failed++] = start;
                rest[failed++] = end;
                refused.add(at(start, end, e));
            }
        }
        return failed == rest.length ? rest : Arrays.copyOf(rest, failed);
    }

    /** Some errors are one object for the whole process, and nothing can suppress itself. */
    static void suppress(Throwable failure, Throwable other) {
        if (failure != other) {
            failure.addSuppressed(other);
        }
    }

    private static PageLockException at(long start, long end, RuntimeException e) {
        PageLockException.Builder builder = e instanceof PageLockException
                ? ((PageLockException) e).toBuilder()
                : PageLockException.because(Reason.UNKNOWN)
                        .detail("the backend threw " + e)
                        .cause(e);
        PageLockException located =
                builder.range(MemoryRange.of(start, end - start)).build();
        located.setStackTrace(e.getStackTrace());
        for (Throwable suppressed : e.getSuppressed()) {
            located.addSuppressed(suppressed);
        }
        return located;
    }

    private void unlock(long start, long end) {
        try {
            steps.unlock(start, end - start);
        } catch (PageLockException e) {
            if (e.reason() != Reason.NOT_MAPPED) {
                throw e;
            }
            unlockAroundHoles(start, end);
        }
    }

    private void unlockAroundHoles(long start, long end) {
        Optional<List<MemoryRange>> mapped = states.mapped(MemoryRange.of(start, end - start));
        if (!mapped.isPresent()) {
            unlockByHalves(start, end);
            return;
        }
        PageLockException refused = null;
        for (MemoryRange part : mapped.get()) {
            try {
                backend.unlock(part.address(), part.length());
            } catch (PageLockException e) {
                // Unmapped since we looked: nothing left to unlock there, but perhaps beside it.
                if (e.reason() == Reason.NOT_MAPPED) {
                    unlockByHalves(part.address(), part.end());
                } else if (refused == null) {
                    refused = e;
                }
            }
        }
        if (refused != null) {
            throw refused;
        }
    }

    /** Goes round holes on a system that does not list its mappings; a single page that is not mapped is done. */
    private void unlockByHalves(long start, long end) {
        long pages = (end - start) / pageSize;
        if (pages == 1) {
            return;
        }
        long middle = start + pages / 2 * pageSize;
        for (int half = 0; half < 2; half++) {
            long from = half == 0 ? start : middle;
            long to = half == 0 ? middle : end;
            try {
                backend.unlock(from, to - from);
            } catch (PageLockException e) {
                if (e.reason() != Reason.NOT_MAPPED) {
                    throw e;
                }
                unlockByHalves(from, to);
            }
        }
    }

    /**
     * From now on closed holds leave their pages locked, for an address-space lock. Returns when no unlock is under way that
     * could tear a hole into it.
     *
     * @param fully whether it locks what is mapped now, and not on fault
     */
    void cover(boolean fully) {
        synchronized (monitor) {
            covered = true;
            coveredFully |= fully;
            awaitUnlocks();
        }
    }

    /** Undoes {@link #cover} for an address-space lock that failed and left nothing behind. */
    void uncover() {
        synchronized (monitor) {
            covered = false;
            coveredFully = false;
        }
        sweep();
    }

    /**
     * Lets the kernel drop every lock and locks the pages of all holds again, also if what comes between fails.
     *
     * @param drop does so, given the aligned ranges that should better stay locked; if the system refuses, the locks are as
     *     they were or weaker
     * @param renew locks for the address-space locks that are open afterwards, or null if there is none
     * @return the refusals to lock pages of a hold again; those holds are lost
     */
    List<PageLockException> dropAll(Consumer<List<MemoryRange>> drop, Runnable renew) {
        List<MemoryRange> keep = new ArrayList<>();
        List<Hold> renewals = new ArrayList<>();
        List<PageLockException> result = new ArrayList<>();
        Throwable failure = null;
        boolean dropped = false;
        synchronized (monitor) {
            awaitShared();
            exclusive = true;
            awaitUnlocks();
        }
        try {
            synchronized (monitor) {
                held.forEach((start, end, full, onFault) -> keep.add(MemoryRange.of(start, end - start)));
            }
            drop.accept(keep);
            dropped = true;
            if (renew != null) {
                renew.run();
            }
        } catch (RuntimeException | Error e) {
            failure = e;
            dropped |= !(e instanceof PageLockException);
            throw e;
        } finally {
            try {
                share(renewals, failure == null && renew == null, dropped);
            } finally {
                List<PageLockException> refused = carryOut(renewals, dropped);
                if (failure != null) {
                    for (PageLockException each : refused) {
                        suppress(failure, each);
                    }
                } else {
                    result.addAll(refused);
                }
            }
        }
        return result;
    }

    /**
     * Lets the system lock everything on fault and locks the pages of all holds again: on Linux that call weakens full locks,
     * and one that is paging in just then stops and reports success. So no lock may end until it knows that it must ask once
     * more. A refusal to lock again leaves the lock as weak as it is.
     */
    void weakenAll(Runnable weaken) {
        List<Hold> renewals = new ArrayList<>();
        synchronized (monitor) {
            awaitShared();
            exclusive = true;
        }
        try {
            weaken.run();
        } finally {
            try {
                share(renewals, false, false);
            } finally {
                carryOut(renewals, false);
            }
        }
    }

    /**
     * Ends the time in which the system changed every lock, and begins to ask for all again.
     *
     * @param uncovered whether pages are no longer locked for the address space
     * @param dropped whether what is not asked for again may be unlocked now
     */
    private void share(List<Hold> renewals, boolean uncovered, boolean dropped) {
        synchronized (monitor) {
            try {
                if (uncovered) {
                    covered = false;
                    coveredFully = false;
                    strays.clear();
                }
                for (Hold hold = first; hold != null; hold = hold.next) {
                    hold.older = true;
                }
                beginRenewals(renewals);
            } catch (Error e) {
                for (Hold hold = first; dropped && hold != null; hold = hold.next) {
                    hold.lost = true;
                }
                throw e;
            } finally {
                exclusive = false;
                monitor.notifyAll();
                unpark(null);
            }
        }
    }

    /**
     * Puts a hold in flight for each piece that is held and not in flight. From then on calls for these pages wait for their
     * piece, and all others go on.
     */
    private void beginRenewals(List<Hold> renewals) {
        for (Hold hold = firstInFlight; hold != null; hold = hold.nextInFlight) {
            hold.askAgain = true;
            hold.disturbed = true;
        }
        List<long[]> pieces = new ArrayList<>();
        held.forEach((start, end, full, onFault) -> {
            long[] from = {start};
            int kind = full > 0 ? 0 : 1;
            busy.forEach(start, end, (busyStart, busyEnd, one, none) -> {
                if (from[0] != busyStart) {
                    pieces.add(new long[] {from[0], busyStart, kind});
                }
                from[0] = busyEnd;
            });
            if (from[0] != end) {
                pieces.add(new long[] {from[0], end, kind});
            }
        });
        for (long[] piece : pieces) {
            Hold again = new Hold(null, null, piece[0], piece[1], piece[2] == 1);
            renewals.add(again);
            try {
                begin(again);
            } catch (Error e) {
                renewals.remove(renewals.size() - 1);
                throw e;
            }
        }
    }

    /** Locks and releases, as handles would: if all holders close meanwhile, the release unlocks. */
    private List<PageLockException> carryOut(List<Hold> renewals, boolean dropped) {
        int next = 0;
        try {
            List<PageLockException> refused = new ArrayList<>();
            while (next < renewals.size()) {
                Hold again = renewals.get(next);
                long start = again.start(0);
                long end = again.end(0);
                try {
                    carryOut(again);
                    abandon(again);
                } catch (RuntimeException e) {
                    PageLockException refusal = at(start, end, e);
                    if (refusal.reason() == Reason.NOT_MAPPED) {
                        renewAroundHoles(start, end, again.onFault, refused, dropped);
                    } else {
                        refused.add(refusal);
                        lose(start, end, dropped);
                    }
                } catch (Error e) {
                    lose(start, end, dropped);
                }
                next++;
            }
            return refused;
        } finally {
            // Out of memory: nobody else would ever take the others out of flight.
            while (next < renewals.size()) {
                Hold again = renewals.get(next++);
                lose(again.outerStart(), again.outerEnd(), dropped);
                abandonOpen(again);
            }
        }
    }

    private void renewAroundHoles(
            long start, long end, boolean onFault, List<PageLockException> refused, boolean dropped) {
        List<MemoryRange> pieces;
        try {
            pieces = states.mapped(MemoryRange.of(start, end - start))
                    .filter(parts -> !isWhole(parts, start, end))
                    .orElseGet(() -> halves(start, end));
        } catch (RuntimeException e) {
            pieces = halves(start, end);
        }
        for (MemoryRange part : pieces) {
            Hold again = new Hold(null, null, part.address(), part.end(), onFault);
            try {
                acquire(again);
                abandon(again);
            } catch (RuntimeException e) {
                PageLockException refusal = at(part.address(), part.end(), e);
                if (refusal.reason() == Reason.NOT_MAPPED) {
                    renewAroundHoles(part.address(), part.end(), onFault, refused, dropped);
                } else {
                    refused.add(refusal);
                    lose(part.address(), part.end(), dropped);
                }
            }
        }
    }

    /** Marks what lost pages; a hold that began since has lost nothing. Needs no memory. */
    private void lose(long start, long end, boolean dropped) {
        synchronized (monitor) {
            for (Hold hold = first; dropped && hold != null; hold = hold.next) {
                hold.lost |= hold.older && hold.overlaps(start, end);
            }
        }
    }

    /** The halves of a range; nothing of a single page, which is not mapped then. */
    private List<MemoryRange> halves(long start, long end) {
        long half = (end - start) / pageSize / 2 * pageSize;
        return half == 0
                ? Collections.emptyList()
                : Arrays.asList(MemoryRange.of(start, half), MemoryRange.of(start + half, end - start - half));
    }

    private static boolean isWhole(List<MemoryRange> parts, long start, long end) {
        return parts.size() == 1
                && parts.get(0).address() == start
                && parts.get(0).end() == end;
    }

    private void lose(Parts lost) {
        if (lost.isEmpty()) {
            return;
        }
        Hold gone = new Hold(null, null, lost.toArray(), false);
        synchronized (monitor) {
            for (Hold hold = first; hold != null; hold = hold.next) {
                hold.lost |= hold.overlaps(gone);
            }
        }
    }

    /**
     * Tries to unlock some of what is stray, and to close a hold that was left over; the others have their turn at the next
     * sweep. What fails stays for later.
     */
    void sweep() {
        Hold leftOver = null;
        Hold sweep = null;
        synchronized (monitor) {
            if (sweeping || covered || exclusive || strays.isEmpty() && abandoned == 0) {
                return;
            }
            sweeping = true;
            // The last one, since one that fails goes to the front.
            for (Hold hold = first; abandoned > 0 && hold != null; hold = hold.next) {
                leftOver = hold.abandoned && hold.state == Hold.State.OPEN ? hold : leftOver;
            }
        }
        try {
            if (leftOver != null) {
                abandon(leftOver);
            }
        } catch (RuntimeException | Error e) {
            // Still left over.
            synchronized (monitor) {
                if (leftOver.abandoned) {
                    take(leftOver);
                    put(leftOver);
                }
            }
        }
        try {
            synchronized (monitor) {
                Parts parts = covered || exclusive ? new Parts() : someStrays();
                if (!parts.isEmpty()) {
                    Hold made = new Hold(null, null, parts.toArray(), false);
                    takeOff(made);
                    startUnlocking(made);
                    sweep = made;
                }
            }
            if (sweep != null) {
                unlockStrays(sweep);
            }
        } catch (RuntimeException | Error e) {
            // Still stray.
            leftOver = null;
        } finally {
            synchronized (monitor) {
                sweeping = false;
                if (sweep != null) {
                    land(sweep);
                }
            }
        }
    }

    /** Strays that nobody holds, from where the last sweep ended, and from the start once the end is reached. */
    private Parts someStrays() {
        Parts parts = new Parts();
        int[] count = {0};
        long from = sweepFrom;
        strays.forEach(from, -pageSize, (start, end, full, onFault) -> {
            if (count[0]++ < SWEEP && !held.anyAtLeast(start, end, 1)) {
                parts.add(start, end);
                sweepFrom = end;
            }
        });
        if (count[0] <= SWEEP) {
            sweepFrom = 0;
        }
        return parts;
    }

    private void unlockStrays(Hold sweep) {
        for (int i = 0; i < sweep.count(); i++) {
            try {
                unlock(sweep.start(i), sweep.end(i));
            } catch (RuntimeException e) {
                continue;
            }
            synchronized (monitor) {
                strays.clear(sweep.start(i), sweep.end(i));
            }
        }
    }

    /** Whether a sweep has something to do. */
    boolean needsSweep() {
        synchronized (monitor) {
            return !covered && (!strays.isEmpty() || abandoned > 0);
        }
    }

    private boolean hasTurn(Hold hold) {
        if (exclusive) {
            return false;
        }
        for (int i = 0; i < hold.count(); i++) {
            if (busy.anyAtLeast(hold.start(i), hold.end(i), 1)) {
                return false;
            }
        }
        return true;
    }

    // An interrupt does not end a wait, since the books must be set right first. To wait needs no memory.

    private void awaitTurn(Hold hold) {
        boolean interrupted = false;
        while (!hasTurn(hold)) {
            interrupted |= pause();
        }
        restore(interrupted);
    }

    /** Waits until the kernel is not dropping or weakening everything. */
    private void awaitShared() {
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

    /** Waits for a change of the books; tells whether the thread was interrupted instead. */
    private boolean pause() {
        waiting++;
        try {
            monitor.wait();
            return false;
        } catch (InterruptedException e) {
            return true;
        } finally {
            waiting--;
        }
    }

    private static void restore(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void takeOff(Hold hold) {
        hold.takeOff(busy);
        hold.askAgain = false;
        hold.disturbed = false;
        hold.nextInFlight = firstInFlight;
        if (firstInFlight != null) {
            firstInFlight.previousInFlight = hold;
        }
        firstInFlight = hold;
    }

    private void startUnlocking(Hold hold) {
        hold.unlocking = true;
        unlocking++;
    }

    private void land(Hold hold) {
        hold.touchDown(busy);
        if (hold.unlocking) {
            hold.unlocking = false;
            unlocking--;
        }
        if (hold.previousInFlight == null) {
            firstInFlight = hold.nextInFlight;
        } else {
            hold.previousInFlight.nextInFlight = hold.nextInFlight;
        }
        if (hold.nextInFlight != null) {
            hold.nextInFlight.previousInFlight = hold.previousInFlight;
        }
        hold.previousInFlight = null;
        hold.nextInFlight = null;
        tellWaiting(hold);
    }

    private void tellWaiting(Hold landed) {
        if (waiting > 0) {
            monitor.notifyAll();
        }
        unpark(landed);
    }

    private void park(Parked last) {
        if (lastParked == null) {
            firstParked = last;
        } else {
            lastParked.next = last;
        }
        lastParked = last;
    }

    /** Hands on what may have its turn now. Needs no memory. */
    private void unpark(Hold landed) {
        Parked before = null;
        for (Parked each = firstParked; each != null; each = each.next) {
            if (!each.waitedFor(landed) || !hasTurn(each.hold) || !each.handOn()) {
                before = each;
                continue;
            }
            if (before == null) {
                firstParked = each.next;
            } else {
                before.next = each.next;
            }
            if (each.next == null) {
                lastParked = before;
            }
        }
    }

    private void link(Hold hold) {
        put(hold);
        hold.state = Hold.State.OPEN;
        openHolds++;
    }

    private void put(Hold hold) {
        hold.next = first;
        if (first != null) {
            first.previous = hold;
        }
        first = hold;
    }

    private void take(Hold hold) {
        if (hold.previous == null) {
            first = hold.next;
        } else {
            hold.previous.next = hold.next;
        }
        if (hold.next != null) {
            hold.next.previous = hold.previous;
        }
        hold.previous = null;
        hold.next = null;
    }

    private boolean isInFlight(Hold hold) {
        return hold == firstInFlight || hold.previousInFlight != null;
    }

    /** Takes a hold out of flight that is still open. */
    private void reopen(Hold hold) {
        hold.state = Hold.State.OPEN;
        if (isInFlight(hold)) {
            land(hold);
        }
    }

    private void finish(Hold hold) {
        hold.state = Hold.State.CLOSED;
        hold.progress = Progress.UNWATCHED;
        if (hold.abandoned) {
            hold.abandoned = false;
            abandoned--;
        }
        take(hold);
        openHolds--;
        if (isInFlight(hold)) {
            land(hold);
        }
    }

    boolean isOpen(Hold hold) {
        synchronized (monitor) {
            return hold.state == Hold.State.OPEN && !hold.abandoned;
        }
    }

    boolean isValid(Hold hold) {
        synchronized (monitor) {
            return hold.state != Hold.State.CLOSED && !hold.lost;
        }
    }

    long openHolds() {
        synchronized (monitor) {
            return openHolds;
        }
    }

    long heldBytes() {
        synchronized (monitor) {
            return held.bytes();
        }
    }

    long strayBytes() {
        synchronized (monitor) {
            return strays.bytes();
        }
    }
}
