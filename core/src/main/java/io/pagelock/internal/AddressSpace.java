// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Backend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * The open address-space locks and what they ask for together. Calls for the address space take turns; they do not hold up
 * range locks, except while the system drops everything.
 */
final class AddressSpace {
    /** How strongly current or future memory is locked. */
    private enum Strength {
        NONE,
        ON_FAULT,
        FULL
    }

    /** What is asked for; each of the two adds up to the stronger. */
    private static final class Demand {
        private static final Demand NOTHING = new Demand(Strength.NONE, Strength.NONE);

        private final Strength current;
        private final Strength future;

        private Demand(Strength current, Strength future) {
            this.current = current;
            this.future = future;
        }

        private static Demand of(AddressSpaceScope scope, Set<LockOption> options) {
            Strength strength = options.contains(LockOption.ON_FAULT) ? Strength.ON_FAULT : Strength.FULL;
            return new Demand(
                    scope.includesCurrent() ? strength : Strength.NONE,
                    scope.includesFuture() ? strength : Strength.NONE);
        }

        private Demand plus(Demand other) {
            return new Demand(max(current, other.current), max(future, other.future));
        }

        private boolean isNothing() {
            return current == Strength.NONE && future == Strength.NONE;
        }

        private static Strength max(Strength a, Strength b) {
            return a.compareTo(b) > 0 ? a : b;
        }
    }

    private final Backend backend;
    /** Null without the capability. */
    private final AddressSpaceLocking system;

    private final RangeLocks ranges;
    private final Renewal renewal;

    // Guarded by this. The turn is held across system calls, the monitor is not.
    private boolean taken;
    private final List<Lock> open = new ArrayList<>();
    private Demand inForce = Demand.NOTHING;
    /** A failed lock could not be taken back: the system may have everything locked for nobody. */
    private volatile boolean stray;

    AddressSpace(Backend backend, RangeLocks ranges) {
        this.backend = backend;
        system = Abilities.of(backend, AddressSpaceLocking.class);
        this.ranges = ranges;
        renewal = new Renewal(ranges);
    }

    AddressSpaceLock lock(AddressSpaceScope scope, Set<LockOption> options) {
        takeTurn();
        try {
            Demand before = inForce;
            Demand asked = Demand.of(scope, options);
            Demand after = before.plus(asked);
            Lock lock = new Lock(scope, Collections.unmodifiableSet(options));
            open.add(lock);
            Strength current = asked.current == Strength.NONE ? Strength.NONE : after.current;
            renewal.cover(current == Strength.FULL);
            try {
                if (current == Strength.ON_FAULT) {
                    renewal.weakenAll(() -> apply(current, after.future));
                } else {
                    apply(current, after.future);
                }
            } catch (RuntimeException | Error failure) {
                open.remove(lock);
                boolean refused = failure instanceof PageLockException && !isMixed(current, after.future);
                restore(before, after, failure, refused);
                throw failure;
            }
            inForce = after;
            return lock;
        } finally {
            passTurn();
        }
    }

    /** Counts a lock that other code of this process took and keeps until the process ends, as one that is open here. */
    void assume(OutsideLock outside) {
        takeTurn();
        try {
            for (OutsideLock each : outside.parts()) {
                open.add(new Lock(each.scope, each.options));
                inForce = inForce.plus(Demand.of(each.scope, each.options));
            }
            renewal.cover(inForce.current == Strength.FULL);
        } finally {
            passTurn();
        }
    }

    /**
     * Asks for current and future with their strengths. Where these differ, the first call asks for both with the strength of
     * current, and the second sets future alone; so future locking is never off in between.
     */
    private void apply(Strength current, Strength future) {
        AddressSpaceScope scope = current == Strength.NONE
                ? AddressSpaceScope.FUTURE
                : future == Strength.NONE ? AddressSpaceScope.CURRENT : AddressSpaceScope.CURRENT_AND_FUTURE;
        system.lockAll(scope, LockOptions.of((current == Strength.NONE ? future : current) == Strength.ON_FAULT));
        if (isMixed(current, future)) {
            apply(Strength.NONE, future);
        }
    }

    private static boolean isMixed(Strength current, Strength future) {
        return current != Strength.NONE && future != Strength.NONE && current != future;
    }

    /**
     * Brings the system back to what was in force before a call that failed.
     *
     * @param refused whether it was a single call and the system refused it; if not, it may have had any effect
     */
    private void restore(Demand before, Demand after, Throwable failure, boolean refused) {
        // Dropping everything endangers what is in force, so it is not done for pages that are promised anyway, nor
        // where
        // the right to lock is missing, which every system looks at first.
        boolean leftNothing = system.failedLockAllLeavesNothing()
                || !before.isNothing() && before.future == after.future
                || refused && ((PageLockException) failure).reason() == Reason.NOT_PERMITTED;
        try {
            if (!refused || !leftNothing) {
                drop(before, () -> {}).forEach(lost -> RangeLocks.suppress(failure, lost));
            }
        } catch (RuntimeException | Error second) {
            // Otherwise the last of the others drops it with its own.
            stray = before.isNothing();
            RangeLocks.suppress(failure, second);
        } finally {
            if (before.isNothing()) {
                renewal.uncover();
            }
        }
    }

    /**
     * Drops every lock and asks for the given demand anew. Linux keeps everything locked throughout.
     *
     * @param ended runs as soon as the system has done both, whatever becomes of the handles
     */
    private List<PageLockException> drop(Demand rest, Runnable ended) {
        if (rest.isNothing()) {
            return renewal.dropAll(keep -> dropEverything(keep, ended), null);
        }
        return renewal.dropAll(keep -> system.unlockAll(everything()), () -> {
            apply(rest.current, rest.future);
            inForce = rest;
            ended.run();
        });
    }

    private void dropEverything(List<MemoryRange> keep, Runnable ended) {
        system.unlockAll(keep);
        stray = false;
        inForce = Demand.NOTHING;
        ended.run();
    }

    /** Tries again to take back a failed lock that nobody holds, unless somebody is busy with the address space. */
    void sweep() {
        if (!stray) {
            return;
        }
        synchronized (this) {
            if (taken) {
                return;
            }
            taken = true;
        }
        try {
            // Only by locking on fault can a system keep handles locked meanwhile; elsewhere theirs would be at risk.
            boolean keeps = backend.capabilities().contains(Capability.LOCK_ADDRESS_SPACE_ON_FAULT);
            if (open.isEmpty() && keeps) {
                drop(Demand.NOTHING, () -> {});
            } else if (open.isEmpty()) {
                renewal.dropAllUnlessHeld(keep -> dropEverything(keep, () -> {}));
            }
        } catch (RuntimeException | Error e) {
            // The close that came by has succeeded all the same; the next one tries again.
            stray = true;
        } finally {
            passTurn();
        }
    }

    private List<MemoryRange> everything() {
        long page = backend.pageSize();
        if (backend.addressBits() == 32) {
            return Collections.singletonList(MemoryRange.of(page, (1L << 32) - 2 * page));
        }
        return Arrays.asList(
                MemoryRange.of(page, Long.MAX_VALUE - page + 1),
                MemoryRange.of(Long.MIN_VALUE, Long.MAX_VALUE - page + 1));
    }

    private void close(Lock lock) {
        List<PageLockException> lost = Collections.emptyList();
        takeTurn();
        try {
            if (lock.closed) {
                return;
            }
            Demand rest = Demand.NOTHING;
            for (Lock other : open) {
                rest = other == lock ? rest : rest.plus(Demand.of(other.scope, other.options));
            }
            Runnable ended = () -> {
                open.remove(lock);
                lock.closed = true;
            };
            if (rest.isNothing() || rest.future == Strength.NONE && inForce.future != Strength.NONE) {
                lost = drop(rest, ended);
            } else {
                if (rest.future != inForce.future) {
                    apply(Strength.NONE, rest.future);
                }
                // What is locked now stays as strong as it is.
                inForce = new Demand(rest.current == Strength.NONE ? Strength.NONE : inForce.current, rest.future);
                ended.run();
            }
        } finally {
            passTurn();
        }
        if (!lost.isEmpty()) {
            PageLockException failure = lost.get(0);
            lost.stream().skip(1).forEach(other -> RangeLocks.suppress(failure, other));
            throw failure;
        }
    }

    private synchronized void takeTurn() {
        boolean interrupted = false;
        while (taken) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        taken = true;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void passTurn() {
        taken = false;
        notifyAll();
    }

    private final class Lock implements AddressSpaceLock {
        private final AddressSpaceScope scope;
        private final Set<LockOption> options;
        private volatile boolean closed;

        private Lock(AddressSpaceScope scope, Set<LockOption> options) {
            this.scope = scope;
            this.options = options;
        }

        @Override
        public AddressSpaceScope scope() {
            return scope;
        }

        @Override
        public Set<LockOption> options() {
            return options;
        }

        @Override
        public boolean isValid() {
            return !closed;
        }

        @Override
        public void close() {
            AddressSpace.this.close(this);
        }

        @Override
        public String toString() {
            return "AddressSpaceLock[" + scope + "]" + options + (closed ? " (closed)" : "");
        }
    }
}
