// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Answer;
import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
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
 * <p>The monitor guards the books and is never held across a system call. Instead, a hold whose call is under way is <em>in
 * flight</em>: calls for overlapping ranges wait for each other, calls for disjoint ranges do not. A lock is counted before
 * its call and an unlock is discounted after its call, so that whoever closes meanwhile leaves the pages alone.
 */
final class RangeLocks {
    private static final long[] NOTHING = {};
    /** How many pages to look at in one go when the limit refused; bounds the memory that the look takes. */
    private static final int LOOK = 1 << 20;

    private final Backend backend;
    private final Steps steps;
    private final long pageSize;
    private final Object monitor = new Object();

    // All guarded by the monitor.
    private final IntervalCounts held = new IntervalCounts();
    /** What no hold covers and the kernel may still have locked. */
    private final IntervalCounts strays = new IntervalCounts();

    private final List<Hold> inFlight = new ArrayList<>();
    private int waiting;
    /** An address-space lock is open: pages stay locked when holds close. */
    private boolean covered;
    /** The kernel is dropping everything: new calls wait. */
    private boolean exclusive;

    private boolean sweeping;
    private Hold first;
    private long openHolds;

    RangeLocks(Backend backend) {
        this.backend = backend;
        steps = new Steps(backend);
        this.pageSize = backend.pageSize();
    }

    /** Locks the pages of the hold. When it throws, the hold is void and what it added is unlocked again. */
    void acquire(Hold hold) {
        synchronized (monitor) {
            awaitTurn(hold);
            begin(hold);
        }
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
     * Begins a lock that the system carries out by itself, unless it would have to wait for its turn.
     *
     * @return false if it would; nothing has happened then
     */
    boolean tryBegin(Hold hold) {
        synchronized (monitor) {
            if (exclusive || overlapsInFlight(hold)) {
                return false;
            }
            begin(hold);
            return true;
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

    private void begin(Hold hold) {
        inFlight.add(hold);
        int counted = 0;
        try {
            for (; counted < hold.count(); counted++) {
                held.add(hold.start(counted), hold.end(counted), hold.onFault);
            }
        } catch (Error e) {
            while (counted-- > 0) {
                held.remove(hold.start(counted), hold.end(counted), hold.onFault);
            }
            land(hold);
            throw e;
        }
        for (int i = 0; i < hold.count(); i++) {
            strays.clear(hold.start(i), hold.end(i));
        }
        link(hold);
    }

    private boolean mustAskAgain(Hold hold) {
        synchronized (monitor) {
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
            await(() -> !exclusive || hold.owner);
            return hold.askAgain;
        }
    }

    private void ask(Hold hold) {
        for (int i = 0; i < hold.count(); i++) {
            try {
                if (hold.onFault) {
                    askOnFault(hold.start(i), hold.end(i));
                } else {
                    long length = hold.end(i) - hold.start(i);
                    steps.lock(hold.start(i), length, isAlone(hold, i), hold.progress);
                }
            } catch (PageLockException refusal) {
                if (!askForTheRest(hold, i, refusal)) {
                    throw at(hold.start(i), hold.end(i), refusal);
                }
            }
        }
    }

    private boolean isAlone(Hold hold, int part) {
        synchronized (monitor) {
            return !covered && !held.anyAtLeast(hold.start(part), hold.end(part), 2);
        }
    }

    /** Where another hold is a full one, asks for a full lock: on Linux the later call decides for both. */
    private void askOnFault(long start, long end) {
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
            backend.lock(piece[0], piece[1] - piece[0], piece[2] == 0);
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
            PageStates states = backend.pages(MemoryRange.of(from, to - from));
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
                    backend.lock(from + page * pageSize, (last - page + 1) * pageSize, hold.onFault);
                } catch (PageLockException again) {
                    return false;
                }
                page = last;
            }
            from = to;
        }
        return true;
    }

    private static boolean isLocked(PageStates states, int page, boolean onFault) {
        return states.locked(page) == Answer.YES && (onFault || states.resident(page) == Answer.YES);
    }

    /** Takes a failed lock back. What cannot be unlocked becomes stray and is added to the failure. */
    private void undo(Hold hold, Throwable failure) {
        boolean again;
        try {
            synchronized (monitor) {
                await(() -> !exclusive || hold.owner);
                again = hold.askAgain;
                narrow(hold);
                hold.unlocking = true;
                hold.state = Hold.State.CLOSING;
            }
            List<PageLockException> refused = unlockOrStray(hold);
            refused.forEach(failure::addSuppressed);
        } catch (Throwable second) {
            // Out of memory, at worst. The hold stays counted and linked; its handle is garbage, so the reaper tries
            // again.
            synchronized (monitor) {
                reopen(hold);
            }
            failure.addSuppressed(second);
            return;
        }
        if (again) {
            relock(hold.owner, true);
        }
    }

    /** Unlocks a hold that nobody can close again: a leaked or a failed one. The hold is closed afterwards. */
    void abandon(Hold hold) {
        synchronized (monitor) {
            if (hold.state != Hold.State.OPEN) {
                return;
            }
            await(() -> !exclusive || hold.owner);
            narrow(hold);
            hold.state = Hold.State.CLOSING;
            hold.unlocking = true;
            inFlight.add(hold);
        }
        try {
            unlockOrStray(hold);
        } finally {
            synchronized (monitor) {
                if (hold.state != Hold.State.CLOSED) {
                    reopen(hold);
                }
            }
        }
        sweep();
    }

    private List<PageLockException> unlockOrStray(Hold hold) {
        List<PageLockException> refused = new ArrayList<>();
        boolean leave;
        synchronized (monitor) {
            leave = covered;
        }
        long[] rest = leave ? allOf(hold) : unlock(hold, refused);
        synchronized (monitor) {
            for (int i = 0; i < rest.length; i += 2) {
                strays.add(rest[i], rest[i + 1], false);
            }
            discount(hold);
            finish(hold);
        }
        return refused;
    }

    /**
     * Unlocks the pages that only this hold covers. A hold that is closed or being closed is left alone.
     *
     * @throws PageLockException if the system refused; the hold is open then and covers what is still locked
     */
    void release(Hold hold) {
        boolean leave;
        synchronized (monitor) {
            if (hold.state != Hold.State.OPEN) {
                return;
            }
            hold.state = Hold.State.CLOSING;
            try {
                await(() -> !exclusive || hold.owner);
                narrow(hold);
                leave = covered;
                if (leave) {
                    for (int i = 0; i < hold.count(); i++) {
                        strays.add(hold.start(i), hold.end(i), false);
                    }
                }
                if (leave || hold.count() == 0) {
                    discount(hold);
                    finish(hold);
                    return;
                }
                inFlight.add(hold);
            } catch (Error e) {
                hold.state = Hold.State.OPEN;
                throw e;
            }
            hold.unlocking = true;
        }
        List<PageLockException> refused = new ArrayList<>();
        long[] rest = null;
        try {
            rest = unlock(hold, refused);
        } finally {
            synchronized (monitor) {
                if (rest == null) {
                    rest = allOf(hold);
                }
                keepOnly(hold, rest);
                if (rest.length == 0) {
                    finish(hold);
                } else {
                    reopen(hold);
                }
            }
        }
        sweep();
        if (!refused.isEmpty()) {
            PageLockException failure = refused.get(0);
            refused.stream().skip(1).forEach(failure::addSuppressed);
            throw failure;
        }
    }

    /** Gives up what others hold too, so that the hold covers only what it alone must unlock. */
    private void narrow(Hold hold) {
        if (hold.count() == 1) {
            long[] sole = held.removeShared(hold.start(0), hold.end(0), hold.onFault);
            if (sole.length != 2 || sole[0] != hold.start(0) || sole[1] != hold.end(0)) {
                hold.narrowTo(sole);
            }
            return;
        }
        long[] all = new long[0];
        for (int i = 0; i < hold.count(); i++) {
            long[] sole = held.removeShared(hold.start(i), hold.end(i), hold.onFault);
            int length = all.length;
            all = Arrays.copyOf(all, length + sole.length);
            System.arraycopy(sole, 0, all, length, sole.length);
        }
        hold.narrowTo(all);
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
        int failed = 0;
        long[] rest = NOTHING;
        for (int i = 0; i < hold.count(); i++) {
            long start = hold.start(i);
            long end = hold.end(i);
            try {
                unlock(start, end);
            } catch (RuntimeException e) {
                refused.add(at(start, end, e));
                rest = Arrays.copyOf(rest, failed + 2);
                rest[failed++] = start;
                rest[failed++] = end;
            }
        }
        return rest;
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
        return located;
    }

    private void unlock(long start, long end) {
        try {
            backend.unlock(start, end - start);
        } catch (PageLockException e) {
            if (e.reason() != Reason.NOT_MAPPED) {
                throw e;
            }
            unlockAroundHoles(start, end);
        }
    }

    private void unlockAroundHoles(long start, long end) {
        Optional<List<MemoryRange>> mapped = backend.mapped(MemoryRange.of(start, end - start));
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
     */
    void cover() {
        synchronized (monitor) {
            covered = true;
            await(() -> !anyUnlocking());
        }
    }

    /** Undoes {@link #cover} for an address-space lock that failed and left nothing behind. */
    void uncover() {
        synchronized (monitor) {
            covered = false;
        }
        sweep();
    }

    /**
     * Lets the kernel drop every lock and locks the pages of all holds again, also if what comes between fails.
     *
     * @param drop does so, given the aligned ranges that should better stay locked; if the system refuses, nothing happens
     * @param renew locks for the address-space locks that are open afterwards, or null if there is none
     * @return the refusals to lock pages of a hold again; those holds are lost
     */
    List<PageLockException> dropAll(Consumer<List<MemoryRange>> drop, Runnable renew) {
        List<MemoryRange> keep = new ArrayList<>();
        boolean dropped = false;
        synchronized (monitor) {
            await(() -> !exclusive);
            exclusive = true;
            await(() -> !anyUnlocking());
        }
        try {
            synchronized (monitor) {
                held.forEach((start, end, full, onFault) -> keep.add(MemoryRange.of(start, end - start)));
            }
            try {
                drop.accept(keep);
                if (renew == null) {
                    synchronized (monitor) {
                        covered = false;
                        strays.clear();
                    }
                } else {
                    dropped = true;
                    renew.run();
                }
            } catch (RuntimeException | Error failure) {
                if (dropped || !(failure instanceof PageLockException)) {
                    relock(true, true).forEach(failure::addSuppressed);
                }
                throw failure;
            }
            return relock(true, true);
        } finally {
            synchronized (monitor) {
                exclusive = false;
                monitor.notifyAll();
            }
        }
    }

    /**
     * Asks the system again for every page that is held, because it may have dropped or weakened the locks. Calls that are
     * under way are told to ask once more themselves.
     *
     * @param owner whether the caller owns the exclusive phase
     * @param dropped whether the system may have dropped the locks, so that a refusal means that they are gone; if not, it has
     *     only weakened them
     * @return the refusals
     */
    List<PageLockException> relock(boolean owner, boolean dropped) {
        List<long[]> pieces = new ArrayList<>();
        synchronized (monitor) {
            for (Hold hold : inFlight) {
                hold.askAgain = true;
            }
            held.forEach((start, end, full, onFault) -> {
                for (long[] free : outsideFlight(start, end)) {
                    pieces.add(new long[] {free[0], free[1], full > 0 ? 0 : 1});
                }
            });
        }
        List<PageLockException> refused = new ArrayList<>();
        int done = 0;
        try {
            for (; done < pieces.size(); done++) {
                long[] piece = pieces.get(done);
                int before = refused.size();
                relock(piece[0], piece[1], piece[2] == 1, owner, refused);
                if (dropped) {
                    refused.subList(before, refused.size()).forEach(this::lose);
                }
            }
        } finally {
            // Only an error, as when memory is out, leaves a rest.
            for (long[] piece : pieces.subList(done, dropped ? pieces.size() : done)) {
                lose(piece[0], piece[1]);
            }
        }
        return refused;
    }

    private void lose(PageLockException refused) {
        refused.range().ifPresent(range -> lose(range.address(), range.end()));
    }

    private void lose(long start, long end) {
        synchronized (monitor) {
            for (Hold hold = first; hold != null; hold = hold.next) {
                hold.lost |= hold.overlaps(start, end);
            }
        }
    }

    /** Locks and releases, as a handle would: if all holders close meanwhile, the release unlocks. */
    private void relock(long start, long end, boolean onFault, boolean owner, List<PageLockException> refused) {
        Hold again = new Hold(null, null, start, end, onFault);
        again.owner = owner;
        try {
            acquire(again);
            abandon(again);
        } catch (RuntimeException failure) {
            PageLockException e = at(start, end, failure);
            if (e.reason() == Reason.NOT_MAPPED) {
                Optional<List<MemoryRange>> mapped = backend.mapped(MemoryRange.of(start, end - start));
                List<MemoryRange> parts = mapped.orElseGet(() -> halves(start, end));
                if (!isWhole(parts, start, end)) {
                    parts.forEach(part -> relock(part.address(), part.end(), onFault, owner, refused));
                    return;
                }
            }
            refused.add(e);
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

    private List<long[]> outsideFlight(long start, long end) {
        List<long[]> free = new ArrayList<>();
        free.add(new long[] {start, end});
        for (Hold hold : inFlight) {
            for (int i = 0; i < hold.count(); i++) {
                List<long[]> rest = new ArrayList<>();
                for (long[] part : free) {
                    subtract(part, hold.start(i), hold.end(i), rest);
                }
                free = rest;
            }
        }
        return free;
    }

    private static void subtract(long[] part, long start, long end, List<long[]> rest) {
        if (!IntervalCounts.less(part[0], end) || !IntervalCounts.less(start, part[1])) {
            rest.add(part);
            return;
        }
        if (IntervalCounts.less(part[0], start)) {
            rest.add(new long[] {part[0], start});
        }
        if (IntervalCounts.less(end, part[1])) {
            rest.add(new long[] {end, part[1]});
        }
    }

    /** Tries to unlock what is stray. */
    void sweep() {
        Hold sweep;
        synchronized (monitor) {
            if (strays.isEmpty() || covered || exclusive || sweeping) {
                return;
            }
            List<Long> parts = new ArrayList<>();
            strays.forEach((start, end, full, onFault) -> {
                parts.add(start);
                parts.add(end);
            });
            // Strays overlap no hold: begin() takes them over. So nothing in flight overlaps them either.
            sweep = new Hold(
                    null, null, parts.stream().mapToLong(Long::longValue).toArray(), false);
            sweep.unlocking = true;
            inFlight.add(sweep);
            sweeping = true;
        }
        try {
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
        } finally {
            synchronized (monitor) {
                sweeping = false;
                land(sweep);
            }
        }
    }

    private void awaitTurn(Hold hold) {
        await(() -> (!exclusive || hold.owner) && !overlapsInFlight(hold));
    }

    private boolean overlapsInFlight(Hold hold) {
        for (int i = 0; i < inFlight.size(); i++) {
            if (inFlight.get(i).overlaps(hold)) {
                return true;
            }
        }
        return false;
    }

    private boolean anyUnlocking() {
        for (Hold hold : inFlight) {
            if (hold.unlocking) {
                return true;
            }
        }
        return false;
    }

    /** Waits under the monitor. An interrupt does not end the wait, since the books must be set right first. */
    private void await(BooleanSupplier condition) {
        boolean interrupted = false;
        while (!condition.getAsBoolean()) {
            waiting++;
            try {
                monitor.wait();
            } catch (InterruptedException e) {
                interrupted = true;
            } finally {
                waiting--;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void land(Hold hold) {
        inFlight.remove(hold);
        if (waiting > 0) {
            monitor.notifyAll();
        }
    }

    private void link(Hold hold) {
        hold.next = first;
        if (first != null) {
            first.previous = hold;
        }
        first = hold;
        openHolds++;
    }

    /** Takes a hold out of flight that is still open. */
    private void reopen(Hold hold) {
        hold.unlocking = false;
        hold.state = Hold.State.OPEN;
        land(hold);
    }

    private void finish(Hold hold) {
        hold.state = Hold.State.CLOSED;
        hold.unlocking = false;
        hold.anchor = null;
        hold.progress = Progress.UNWATCHED;
        hold.clear();
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
        openHolds--;
        land(hold);
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
