// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static io.pagelock.spi.Unsigned.less;
import static io.pagelock.spi.Unsigned.min;

import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.Backend;
import io.pagelock.spi.LockingAgain;
import io.pagelock.spi.PageStateReading;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/** What the system is asked for a range: in steps, round holes, and for the rest of what it holds already. Keeps no state. */
final class RangeCalls {
    /** How many pages to look at in one go when the limit refused; bounds the memory that the look takes. */
    private static final int LOOK = 1 << 20;

    private final Backend backend;
    private final PageStateReading states;
    private final Steps steps;
    /** Null where it saves nothing. */
    private final LockingAgain again;

    private final long pageSize;

    RangeCalls(Backend backend) {
        this.backend = backend;
        states = Abilities.pageStates(backend);
        steps = new Steps(backend);
        again = Abilities.of(backend, LockingAgain.class);
        pageSize = backend.pageSize();
    }

    /** Locks the parts of a call. When it throws, any of them may be locked, unless the call has {@link Call#leftNothing}. */
    void lock(Call call) {
        call.asked++;
        for (int i = 0; i < call.count(); i++) {
            call.progress.check();
            long start = call.span(i).start;
            long end = call.span(i).end;
            try {
                if (call.hold.onFault) {
                    lockOnFault(start, end, call);
                } else if (call.isKnownLocked) {
                    // Once: before it is asked again, the kernel has dropped every lock.
                    call.isKnownLocked = false;
                    if (!call.isKnownResident) {
                        again.lockAgain(start, end - start);
                    }
                    call.progress.add(end - start);
                } else {
                    steps.lock(start, end - start, call.weakened, call.progress);
                }
            } catch (RuntimeException e) {
                PageLockException refusal = at(start, end, e);
                // Not where the system was asked before, by itself and asynchronously, or before it dropped every lock.
                call.leftNothing = call.alone
                        && call.asked == 1
                        && !call.wasOutdated
                        && i == 0
                        && !call.isLarge()
                        && e instanceof PageLockException
                        && backend.failedLockLeavesNothing();
                if (call.alone || !lockTheRest(start, end, call.hold.onFault, refusal)) {
                    throw refusal;
                }
            }
        }
    }

    /** Asks of the ranges that others hold whether anything in them is locked. */
    void lookForStale(Call call) {
        long[] held = call.heldByOthers;
        for (int i = 0; held != null && i < held.length; i += 2) {
            Tristate locked = anyLocked(MemoryRange.of(held[i], held[i + 1] - held[i]));
            if (locked == Tristate.NO) {
                call.stale = call.stale == null ? new Parts() : call.stale;
                call.stale.addApart(held[i], held[i + 1]);
            } else if (locked == Tristate.YES && again != null && held[i + 1] - held[i] == pageSize) {
                call.isKnownLocked = call.count() == 1 && call.span(0).end - call.span(0).start == pageSize;
                call.isKnownResident = call.isKnownLocked && call.isHeldFully && again.staysInMemory(held[i], pageSize);
            }
        }
    }

    private Tristate anyLocked(MemoryRange range) {
        try {
            return states.anyLocked(range);
        } catch (RuntimeException e) {
            // The lock itself may succeed all the same.
            return Tristate.UNKNOWN;
        }
    }

    private void lockOnFault(long start, long end, Call call) {
        long[] full = call.heldFully;
        long at = start;
        for (int i = 0; full != null && i < full.length && less(at, end); i += 2) {
            long from = full[i];
            long to = min(full[i + 1], end);
            if (less(from, at) && less(at, to)) {
                from = at;
            }
            if (less(from, at) || !less(from, end)) {
                continue;
            }
            if (less(at, from)) {
                backend.lock(at, from - at, LockOptions.ON_FAULT);
            }
            // Resident, unless the memory was mapped again; then this pages in.
            steps.lock(from, to - from, false, call.progress);
            at = to;
        }
        if (less(at, end)) {
            backend.lock(at, end - at, LockOptions.ON_FAULT);
        }
    }

    /**
     * After a refusal for the limit: if the kernel still holds a part, asks for the others alone. The limit may have been
     * lowered below what is held, and FreeBSD charges pages again that are locked already.
     *
     * @return whether every page is locked now
     */
    boolean lockTheRest(long start, long end, boolean onFault, PageLockException refusal) {
        if (refusal.reason() != Reason.OVER_LIMIT && refusal.reason() != Reason.NOT_PERMITTED
                || !backend.capabilities().contains(Capability.LOCKED_PAGES)) {
            return false;
        }
        for (long from = start; from != end; ) {
            long to = end - from > LOOK * pageSize ? from + LOOK * pageSize : end;
            PageStates found = states.pageStates(MemoryRange.of(from, to - from));
            int pages = found.pageCount();
            for (int page = 0; page < pages; page++) {
                if (isLocked(found, page, onFault)) {
                    continue;
                }
                int last = page;
                while (last + 1 < pages && !isLocked(found, last + 1, onFault)) {
                    last++;
                }
                if (last - page + 1L == (end - start) / pageSize) {
                    return false;
                }
                try {
                    backend.lock(from + page * pageSize, (last - page + 1) * pageSize, LockOptions.of(onFault));
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

    /** Locks a range that is held, and was locked before. */
    void renew(long start, long end, boolean onFault) {
        try {
            if (onFault) {
                backend.lock(start, end - start, LockOptions.ON_FAULT);
            } else {
                steps.lock(start, end - start, false, Progress.UNWATCHED);
            }
        } catch (PageLockException refusal) {
            if (!lockTheRest(start, end, onFault, refusal)) {
                throw refusal;
            }
        }
    }

    /**
     * Locks a range that is held as far as it is mapped.
     *
     * @param refused receives each part that the system refuses to lock, with the refusal
     */
    void renewAroundHoles(long start, long end, boolean onFault, BiConsumer<MemoryRange, Throwable> refused) {
        try {
            renew(start, end, onFault);
        } catch (PageLockException e) {
            if (e.reason() == Reason.NOT_MAPPED) {
                for (MemoryRange part : mapped(start, end)) {
                    renewAroundHoles(part.address(), part.end(), onFault, refused);
                }
            } else {
                refused.accept(MemoryRange.of(start, end - start), at(start, end, e));
            }
        } catch (RuntimeException e) {
            refused.accept(MemoryRange.of(start, end - start), at(start, end, e));
        }
    }

    /** The mapped parts of a range that has a hole; its halves if the system does not list them, or says that there is none. */
    private List<MemoryRange> mapped(long start, long end) {
        try {
            Optional<List<MemoryRange>> parts = states.mapped(MemoryRange.of(start, end - start));
            if (parts.isPresent() && !isWhole(parts.get(), start, end)) {
                return parts.get();
            }
        } catch (RuntimeException e) {
            return halves(start, end);
        }
        return halves(start, end);
    }

    private static boolean isWhole(List<MemoryRange> parts, long start, long end) {
        return parts.size() == 1
                && parts.get(0).address() == start
                && parts.get(0).end() == end;
    }

    /** The halves of a range; nothing of a single page, which is not mapped then. */
    private List<MemoryRange> halves(long start, long end) {
        long half = (end - start) / pageSize / 2 * pageSize;
        return half == 0
                ? Collections.emptyList()
                : Arrays.asList(MemoryRange.of(start, half), MemoryRange.of(start + half, end - start - half));
    }

    /** Unlocks a range as far as it is mapped. Needs no memory unless the system refuses. */
    void unlock(long start, long end) {
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
        PageLockException refused = null;
        for (MemoryRange part : mapped(start, end)) {
            try {
                backend.unlock(part.address(), part.length());
            } catch (PageLockException e) {
                // Unmapped since we looked, so there is nothing left to unlock there, but perhaps beside it.
                if (e.reason() == Reason.NOT_MAPPED) {
                    unlockAroundHoles(part.address(), part.end());
                } else if (refused == null) {
                    refused = e;
                }
            }
        }
        if (refused != null) {
            throw refused;
        }
    }

    /** Locates a failure of the backend. */
    static PageLockException at(long start, long end, RuntimeException e) {
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
}
