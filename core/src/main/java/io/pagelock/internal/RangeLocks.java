// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The protocols of range locks: lock, close, undo, sweep. Each has the {@link LockTable} decide under its monitor, has
 * {@link RangeCalls} ask the system without it, and has the table settle what came of it.
 */
final class RangeLocks {
    /** Loaded now, since to find a handler for an error loads its class, for which there may be no memory then. */
    static final List<Class<? extends Throwable>> CAUGHT = Collections.unmodifiableList(
            Arrays.asList(OutOfMemoryError.class, Error.class, RuntimeException.class, PageLockException.class));

    private final LockTable table;
    private final RangeCalls calls;
    private final MappingReserve mappings;

    RangeLocks(Backend backend) {
        this(new LockTable(), new RangeCalls(backend), new MappingReserve(backend));
    }

    RangeLocks(LockTable table, RangeCalls calls, MappingReserve mappings) {
        this.table = table;
        this.calls = calls;
        this.mappings = mappings;
        mappings.count(table);
    }

    LockTable table() {
        return table;
    }

    RangeCalls calls() {
        return calls;
    }

    // Lock

    /** Locks the pages of the hold. When it throws, the hold is closed and what the lock added is unlocked again. */
    void acquire(Hold hold, Progress progress) {
        Call call = callOf(hold, progress);
        progress.check();
        boolean begun = false;
        boolean lacksMappings;
        synchronized (table) {
            lacksMappings = table.mappings.lacks(call);
            begun = !lacksMappings && table.tryBegin(call);
        }
        if (lacksMappings) {
            requireMappings(call);
        }
        if (!begun) {
            awaitTurn(call);
        }
        carryOut(hold);
    }

    private static Call callOf(Hold hold, Progress progress) {
        if (hold.call == null) {
            hold.call = Call.of(hold, progress);
        }
        return hold.call;
    }

    /** An interrupt does not end the wait, since close and undo could not be given up either. */
    private void awaitTurn(Call call) {
        boolean interrupted = false;
        try {
            boolean begun = enqueue(call);
            while (!begun) {
                LockSupport.park(table);
                interrupted |= Thread.interrupted();
                call.progress.check();
                synchronized (table) {
                    begun = table.tryBegin(call);
                }
            }
        } catch (Throwable failure) {
            synchronized (table) {
                table.leaveQueue(call);
            }
            throw failure;
        } finally {
            LockTable.restore(interrupted);
        }
    }

    /** Puts a call into the queue, unless it has its turn by now. */
    private boolean enqueue(Call call) {
        synchronized (table) {
            // Whoever cancelled before this found no place to give up.
            call.progress.check();
            if (table.tryBegin(call)) {
                return true;
            }
            table.enqueue(new Turn(call, Thread.currentThread(), null));
            return false;
        }
    }

    /**
     * Begins a lock, unless it would have to wait for its turn.
     *
     * @return false if it would; nothing has happened then
     */
    boolean tryBegin(Hold hold, Progress progress) {
        Call call = callOf(hold, progress);
        requireMappings(call);
        synchronized (table) {
            return table.tryBegin(call);
        }
    }

    /**
     * Begins a lock, or puts it into the queue.
     *
     * @param retry runs under the monitor when the lock may begin, and must only have this called again by a thread; false if
     *     there is none, to be asked again
     * @return whether it has begun; if not, and if it is not cancelled meanwhile, retry runs later
     */
    boolean beginOrWait(Hold hold, Progress progress, BooleanSupplier retry) {
        Call call = callOf(hold, progress);
        synchronized (table) {
            if (progress.isCancelled()) {
                table.leaveQueue(call);
            }
        }
        progress.check();
        try {
            requireMappings(call);
        } catch (RuntimeException | Error e) {
            synchronized (table) {
                table.leaveQueue(call);
            }
            throw e;
        }
        synchronized (table) {
            try {
                progress.check();
                boolean begun = table.tryBegin(call);
                if (!begun && call.turn == null) {
                    table.enqueue(new Turn(call, null, retry));
                }
                return begun;
            } catch (RuntimeException | Error e) {
                table.leaveQueue(call);
                throw e;
            }
        }
    }

    /** Gives up the place of a lock that waits for its turn. One that has begun is not changed. */
    void cancelled(Hold hold) {
        synchronized (table) {
            if (hold.call != null) {
                table.cancel(hold.call);
            }
        }
    }

    /** Asks the system for what has begun. */
    void carryOut(Hold hold) {
        Call call = hold.call;
        try {
            call.weakened = call.alone && !hold.onFault && call.isLarge();
            calls.lookForStale(call);
            if (call.stale != null) {
                mappings.takeForStale(table, call);
            }
            do {
                ask(call);
            } while (!settle(call));
        } catch (Throwable failure) {
            undo(call, failure);
            throw failure;
        }
    }

    private boolean settle(Call call) {
        synchronized (table) {
            return table.settle(call);
        }
    }

    /** Asks; a refusal counts only if it was not caused by the kernel dropping every lock meanwhile. */
    private void ask(Call call) {
        while (true) {
            try {
                calls.lock(call);
                return;
            } catch (PageLockException refused) {
                if (!isOutdated(call)) {
                    throw refused;
                }
            }
        }
    }

    private boolean isOutdated(Call call) {
        synchronized (table) {
            return table.isOutdated(call);
        }
    }

    /**
     * Ends a lock that the system has carried out by itself, or refused. When it throws, the hold is closed.
     *
     * @param refusal null if the system has not refused
     */
    void conclude(Hold hold, PageLockException refusal) {
        Call call = hold.call;
        try {
            boolean locked = refusal == null
                    || !call.alone && calls.lockTheRest(hold.start(0), hold.end(0), hold.onFault, refusal);
            if (!locked && !isOutdated(call)) {
                throw RangeCalls.at(hold.start(0), hold.end(0), refusal);
            }
            while (!locked || !settle(call)) {
                locked = true;
                ask(call);
            }
        } catch (Throwable failure) {
            undo(call, failure);
            throw failure;
        }
    }

    /** Takes back a lock that has begun and that the system never saw. */
    void fail(Hold hold, Throwable failure) {
        undo(hold.call, failure);
    }

    private void requireMappings(Call call) {
        boolean lacks;
        synchronized (table) {
            lacks = table.mappings.lacks(call);
        }
        if (!lacks) {
            return;
        }
        mappings.count(table);
        synchronized (table) {
            lacks = table.mappings.lacks(call);
        }
        if (lacks) {
            throw mappings.refusal(call);
        }
    }

    // Undo, close

    /** Takes a failed lock back. What the kernel refuses to unlock is a leftover, and the refusal is added to the failure. */
    private void undo(Call call, Throwable failure) {
        boolean more;
        synchronized (table) {
            table.beginUndo(call);
            more = nextPiece(call);
        }
        end(call, more, failure);
    }

    /**
     * Unlocks the pages that only this hold covers. A hold that is closed or being closed is left alone.
     *
     * @throws PageLockException if the kernel refused; the hold is locked then and covers what is still locked
     */
    void release(Hold hold) {
        close(hold, Call.closing(hold, true));
    }

    /**
     * Unlocks a hold that nobody can close. What the kernel refuses to unlock is a leftover.
     *
     * @return whether it is closed; if not, there was no memory for it
     */
    boolean reap(Hold hold) {
        try {
            close(hold, Call.closing(hold, false));
        } catch (Throwable e) {
            // What was refused is left to sweeps.
            return isClosed(hold);
        }
        return true;
    }

    private boolean isClosed(Hold hold) {
        synchronized (table) {
            return hold.state == Hold.State.CLOSED;
        }
    }

    private void close(Hold hold, Call call) {
        boolean more;
        synchronized (table) {
            if (!table.beginClose(hold)) {
                return;
            }
            more = nextPiece(call);
        }
        Throwable failure = end(call, more, null);
        if (call.foundLeftovers) {
            sweep();
        }
        if (failure instanceof Error) {
            throw (Error) failure;
        }
        if (failure != null) {
            throw (RuntimeException) failure;
        }
    }

    /**
     * Ends what a call holds, piece by piece.
     *
     * @param more whether the call has come to a piece
     * @param failure what further failures are added to; null to make the first one that
     * @return the failure; null if there was none
     */
    private Throwable end(Call call, boolean more, Throwable failure) {
        Throwable result = failure;
        for (boolean goOn = more; goOn; ) {
            Throwable refusal = carryOut(call);
            if (refusal != null && call.step == Call.Step.UNLOCK) {
                result = result == null ? refusal : suppress(result, refusal);
            }
            synchronized (table) {
                table.settlePiece(call, refusal == null);
                goOn = nextPiece(call);
            }
        }
        return result;
    }

    /** Advances to the next piece of a hold's call. At the end of all parts, the hold is closed. */
    private boolean nextPiece(Call call) {
        try {
            while (!table.nextPiece(call)) {
                if (call.part + 1 == call.count()) {
                    table.endClose(call);
                    call.foundLeftovers = table.leftoverBytes() > 0;
                    return false;
                }
                call.part++;
            }
            return true;
        } catch (OutOfMemoryError e) {
            table.stopClose(call);
            throw e;
        }
    }

    /** Ends one part of a renewal. What the kernel refuses to unlock is a leftover. */
    void endPart(Call call) {
        while (true) {
            synchronized (table) {
                if (!table.nextPiece(call)) {
                    return;
                }
            }
            boolean done = carryOut(call) == null;
            synchronized (table) {
                table.settlePiece(call, done);
            }
        }
    }

    /** Asks the system for the step of a piece. Returns the failure instead of throwing it, since the piece must be settled. */
    private Throwable carryOut(Call call) {
        long start = call.piece().start;
        long end = call.piece().end;
        try {
            if (call.step == Call.Step.UNLOCK) {
                if (!call.leftNothing) {
                    calls.unlock(start, end);
                }
            } else {
                calls.renew(start, end, call.step == Call.Step.RENEW && isOnFaultForOthers(call));
            }
            return null;
        } catch (Throwable e) {
            return explained(call, start, end, e);
        }
    }

    private boolean isOnFaultForOthers(Call call) {
        synchronized (table) {
            return !table.isHeldFullyByOthers(call);
        }
    }

    private static Throwable explained(Call call, long start, long end, Throwable e) {
        try {
            call.makeRoomForRest();
            if (e instanceof PageLockException && ((PageLockException) e).reason() == Reason.TOO_MANY_MAPPINGS) {
                call.noMoreSplits = true;
            }
            return e instanceof RuntimeException ? RangeCalls.at(start, end, (RuntimeException) e) : e;
        } catch (OutOfMemoryError none) {
            return e;
        }
    }

    /** Adds a failure to another one. Some errors are one object for the whole process, and nothing can suppress itself. */
    static Throwable suppress(Throwable failure, Throwable other) {
        try {
            if (failure != other) {
                failure.addSuppressed(other);
            }
        } catch (OutOfMemoryError e) {
            // The first failure is what matters.
            return failure;
        }
        return failure;
    }

    // Sweep

    /**
     * Tries to unlock some leftovers; the others have their turn at the next sweep. What fails stays a leftover.
     *
     * @return whether it found nothing to try and has not looked everywhere
     */
    boolean sweep() {
        boolean lacksMappings;
        boolean more = false;
        synchronized (table) {
            if (!table.sweep.begin()) {
                return false;
            }
            lacksMappings = table.mappings.lacksAny();
        }
        try {
            if (lacksMappings) {
                mappings.count(table);
            }
            Call call = Call.sweep();
            while (nextLeftover(call)) {
                boolean done = unlockLeftover(call);
                synchronized (table) {
                    table.sweep.settle(call, done);
                }
            }
        } catch (RuntimeException | OutOfMemoryError e) {
            // The close that came by has succeeded all the same.
            more = false;
        } finally {
            synchronized (table) {
                more = table.sweep.end();
            }
        }
        return more;
    }

    private boolean nextLeftover(Call call) {
        synchronized (table) {
            return table.sweep.next(call);
        }
    }

    private boolean unlockLeftover(Call call) {
        try {
            calls.unlock(call.piece().start, call.piece().end);
            return true;
        } catch (RuntimeException | Error e) {
            return false;
        }
    }

    /** What the reaper does now and then: wakes what waits although it could begin, and sweeps for as long as that helps. */
    void lookAgain() {
        long before;
        long after = -1;
        boolean more;
        do {
            synchronized (table) {
                table.wakeStuck();
                table.sweep.soon();
                before = table.leftoverBytes();
            }
            more = sweep();
            synchronized (table) {
                after = table.leftoverBytes();
            }
        } while (more || after < before);
    }

    /** Reports whether somebody must look again later. */
    boolean needsLookAgain() {
        synchronized (table) {
            return table.isStuck() || !table.isCovered() && table.leftoverBytes() > 0;
        }
    }

    /** Returns how much a handle holds; 0 if it is closed. */
    long openBytes(Hold hold) {
        synchronized (table) {
            return hold.state == Hold.State.LOCKED ? hold.bytes() : 0;
        }
    }

    boolean isValid(Hold hold) {
        synchronized (table) {
            return hold.state != Hold.State.NEW && hold.state != Hold.State.CLOSED && !hold.lost;
        }
    }

    /** Has the reaper close a hold whose handle nobody has. Needs no memory. */
    void orphan(Hold hold) {
        synchronized (table) {
            if (hold.state == Hold.State.LOCKED) {
                hold.state = Hold.State.ORPHANED;
            }
        }
        hold.enqueue();
    }

    long openHolds() {
        synchronized (table) {
            return table.holds.count();
        }
    }

    long heldBytes() {
        synchronized (table) {
            return table.heldBytes();
        }
    }

    long leftoverBytes() {
        synchronized (table) {
            return table.leftoverBytes();
        }
    }
}
