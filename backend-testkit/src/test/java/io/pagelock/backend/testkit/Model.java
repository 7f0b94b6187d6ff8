// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.backend.testkit.FakeKernel.Call;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.engine.PageLockers;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * What an engine over a fake kernel should do, said as simply as possible: page by page, with nothing but sets. Each number
 * of a program is one step; after it, engine, kernel and model must agree.
 */
final class Model {
    private static final int PAGES = 24;

    /** Where the fault of a step strikes. */
    private enum Fault {
        NONE,
        REFUSED,
        EXCEPTION_BEFORE,
        EXCEPTION_AFTER,
        ERROR_BEFORE
    }

    private static final class Held {
        private final PageLock lock;
        private final BitSet pages;
        private final boolean onFault;
        private final long[] generations;
        /** A close was refused; which of its pages the engine still has is between none and all. */
        private boolean limbo;
        /** The engine said that the pages could not be locked again. */
        private boolean lost;

        private Held(PageLock lock, BitSet pages, boolean onFault, long[] generations) {
            this.lock = lock;
            this.pages = pages;
            this.onFault = onFault;
            this.generations = generations.clone();
        }
    }

    /** A lock that was started and has not had its effect yet. */
    private static final class Started {
        private final BitSet pages;
        private final boolean onFault;
        private PendingLock pending;
        /** What the program has yet to run; null if threads of the engine or the system do, and wait in the kernel. */
        private Runnable task;

        private boolean cancelled;
        private boolean letGo;
        private boolean arrived;
        /** The system dropped everything meanwhile; what others hold of its pages is locked again by this lock. */
        private boolean disturbed;

        private Started(BitSet pages, boolean onFault) {
            this.pages = pages;
            this.onFault = onFault;
        }

        /** Whether the engine counts it. */
        private boolean hasBegun() {
            return task == null;
        }
    }

    private static final long PATIENCE_NANOS = 60_000_000_000L;

    private final FakeKernel kernel;
    private final FakeBackend backend;
    private final PageLocker locker;
    private final KernelRules rules;
    private final long page;
    private final List<Held> held = new ArrayList<>();
    private final List<AddressSpaceLock> spaces = new ArrayList<>();
    private final List<Started> started = new ArrayList<>();
    private final StringBuilder story = new StringBuilder();

    private Thread program;
    /** How many locks the system takes at a time; others wait in the backend. */
    private int room = Integer.MAX_VALUE;

    private long area;
    private long[] generations;
    /** A failed call could not be taken back either, so future locking may be on without an owner. */
    private boolean futureUnknown;

    /**
     * A full lock over on-fault ones may have been refused, for a limit or a page without access, and the page is locked all
     * the same since it is in memory.
     */
    private boolean mayBeWeak;

    private int code;
    private Fault fault = Fault.NONE;
    private int strikesAt;
    private boolean struck;

    Model(KernelRules rules, Set<Capability> capabilities, boolean listsMappings) {
        this.rules = rules;
        kernel = new FakeKernel(
                rules, rules.addressBits() == 32 ? 1L << 30 : Long.MAX_VALUE - 40 * rules.pageSize() + 1);
        backend = new FakeBackend(kernel, capabilities, listsMappings);
        locker = PageLockers.over(backend);
        page = rules.pageSize();
        kernel.intercept(new FakeKernel.Interceptor() {
            @Override
            public Errno before(Call call, long address, long length) {
                if (Thread.currentThread() != program && (call == Call.MLOCK || call == Call.MLOCK2)) {
                    waitToBeLetGo(address);
                }
                if (fault == Fault.NONE || call == Call.MINCORE || --strikesAt != 0) {
                    return Errno.OK;
                }
                struck = true;
                if (fault == Fault.EXCEPTION_BEFORE) {
                    throw new IllegalStateException("ordered");
                }
                if (fault == Fault.ERROR_BEFORE) {
                    throw new OutOfMemoryError("ordered");
                }
                return fault == Fault.REFUSED ? Errno.EAGAIN : Errno.OK;
            }

            @Override
            public void after(Call call, long address, long length, Errno result) {
                if (fault == Fault.EXCEPTION_AFTER && strikesAt == 0 && call != Call.MINCORE) {
                    strikesAt = -1;
                    throw new IllegalStateException("ordered, after the effect");
                }
            }
        });
    }

    /** Gives the system a queue of one job only. */
    Model withShortQueue() {
        kernel.aio().setLimit(1);
        room = 1;
        return this;
    }

    /** A call of a lock that was started waits here for the step that lets it have its effect. */
    private void waitToBeLetGo(long address) {
        int index = (int) ((address - area) / page);
        synchronized (started) {
            Started own = started.stream()
                    .filter(each -> each.hasBegun() && each.pages.get(index))
                    .findFirst()
                    .orElseThrow();
            own.arrived = true;
            started.notifyAll();
            while (!own.letGo) {
                try {
                    started.wait();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    /** Runs a program from an empty start to an empty end. */
    void run(List<Integer> steps) {
        story.setLength(0);
        program = Thread.currentThread();
        try {
            begin();
            for (int each : steps) {
                code = each;
                step();
                check();
            }
            end();
        } catch (Throwable e) {
            synchronized (started) {
                started.forEach(each -> each.letGo = true);
                started.notifyAll();
            }
            throw new AssertionError(rules + ", pages of " + page + story + "\n -> " + e, e);
        }
    }

    private void begin() {
        kernel.setPrivileged(rules.has(Trait.PRIVILEGE_IS_NEEDED));
        kernel.setForbidden(false);
        kernel.setLimit(Long.MAX_VALUE);
        if (area != 0) {
            kernel.unmap(area, PAGES);
        }
        area = area == 0 ? kernel.map(PAGES, Kind.ANONYMOUS) : area;
        kernel.mapAt(area, PAGES, Kind.ANONYMOUS);
        generations = new long[PAGES];
        futureUnknown = false;
        mayBeWeak = false;
        fault = Fault.NONE;
    }

    /** A number below {@code bound} out of what is left of the code. */
    private int take(int bound) {
        int value = Integer.remainderUnsigned(code, bound);
        code = Integer.divideUnsigned(code, bound);
        return value;
    }

    private void step() {
        int what = take(20);
        fault = take(4) == 3 ? Fault.values()[1 + take(4)] : Fault.NONE;
        strikesAt = fault == Fault.ERROR_BEFORE ? 1 : 1 + take(3);
        struck = false;
        try {
            switch (what) {
                case 0:
                case 1:
                case 2:
                case 3:
                    lock(false, 1);
                    break;
                case 4:
                    lock(false, 2 + take(2));
                    break;
                case 5:
                case 6:
                    lock(backend.capabilities().contains(Capability.LOCK_ON_FAULT), 1 + take(2));
                    break;
                case 7:
                case 8:
                case 9:
                    close();
                    break;
                case 10:
                    lockAddressSpace();
                    break;
                case 11:
                    closeAddressSpace();
                    break;
                case 12:
                    unmap();
                    break;
                case 13:
                    remap();
                    break;
                case 14:
                    limit();
                    break;
                case 15:
                case 16:
                    start();
                    break;
                case 17:
                    letGo();
                    break;
                case 18:
                    cancel();
                    break;
                default:
                    touchOrProtect();
            }
        } finally {
            fault = Fault.NONE;
        }
    }

    private void tell(String what) {
        story.append("\n    ").append(what);
        if (fault != Fault.NONE) {
            story.append(" with ").append(fault).append(" at call ").append(strikesAt);
        }
    }

    private BitSet takePages() {
        BitSet pages = new BitSet(PAGES);
        int start = take(PAGES);
        pages.set(start, Math.min(PAGES, start + 1 + take(8)));
        return pages;
    }

    private long addressOf(int index) {
        return area + index * page;
    }

    private MemoryRange rangeOf(BitSet pages) {
        return MemoryRange.of(addressOf(pages.nextSetBit(0)), pages.cardinality() * page);
    }

    // Steps

    private void lock(boolean onFault, int count) {
        List<MemoryRange> ranges = new ArrayList<>();
        BitSet pages = new BitSet(PAGES);
        for (int i = 0; i < count; i++) {
            BitSet some = takePages();
            ranges.add(rangeOf(some));
            pages.or(some);
        }
        letGoWhatOverlaps(pages);
        tell((onFault ? "lock on fault " : "lock ") + pages);
        Boolean expected = expected(pages, onFault);
        LockOption[] options = onFault ? new LockOption[] {LockOption.ON_FAULT} : new LockOption[0];
        try {
            PageLock lock = count == 1 ? locker.lock(ranges.get(0), options) : locker.lock(ranges, options);
            held.add(new Held(lock, pages, onFault, generations));
            assertFalse(expected == Boolean.FALSE, "the lock must fail");
        } catch (PageLockException | IllegalStateException | OutOfMemoryError e) {
            story.append(": ").append(e.getMessage());
            assertFalse(expected == Boolean.TRUE && !struck, "the lock must succeed");
        }
    }

    /** Whether a lock must succeed; null where limits may be read either way. */
    private Boolean expected(BitSet pages, boolean onFault) {
        boolean hole = pages.stream().anyMatch(index -> !isMapped(index));
        boolean unreadable = kernel.isAnyUnreachable(area, PAGES * page)
                && pages.stream()
                        .filter(index -> !rules.has(Trait.LOCKS_ARE_COUNTED) || mode(index) == Mode.NONE)
                        .anyMatch(index -> kernel.isAnyUnreachable(addressOf(index), page));
        if (hole) {
            return Boolean.FALSE;
        }
        if (!kernel.isPermitted()) {
            // Pages that are held stay so without permission; but not every page need be held.
            return null;
        }
        long fresh = pages.stream().filter(index -> mode(index) == Mode.NONE).count();
        long charged = kernel.limitedBytes() / page;
        long limit = kernel.isBoundByLimit() ? kernel.limit() / page : Long.MAX_VALUE;
        if (charged + (rules.has(Trait.CHARGES_TWICE) ? pages.cardinality() : fresh) <= limit) {
            // On fault, pages without access are only looked at where another handle makes it a full lock.
            return !unreadable ? Boolean.TRUE : onFault ? null : Boolean.FALSE;
        }
        if (fresh > 0 && charged + fresh > limit) {
            return Boolean.FALSE;
        }
        boolean allHeld = pages.stream()
                .allMatch(index -> kernel.isLocked(addressOf(index))
                        && held.stream().anyMatch(each -> !each.limbo && each.pages.get(index)));
        return allHeld && !onFault && backend.capabilities().contains(Capability.LOCKED_PAGES) && !unreadable
                ? Boolean.TRUE
                : null;
    }

    private void close() {
        if (held.isEmpty()) {
            return;
        }
        Held each = held.get(take(held.size()));
        letGoWhatOverlaps(each.pages);
        tell("close " + each.pages);
        try {
            each.lock.close();
            assertFalse(each.lock.isValid());
            held.remove(each);
        } catch (PageLockException | IllegalStateException | OutOfMemoryError e) {
            story.append(": ").append(e.getMessage());
            assertTrue(struck || !kernel.isPermitted(), "the close must succeed");
            if (each.lock.isValid() || each.lost) {
                each.limbo = true;
            } else {
                held.remove(each);
            }
        }
    }

    /** Starts a lock, by an executor of the program's or as the engine sees fit; it has its effect at a later step. */
    private void start() {
        fault = Fault.NONE;
        if (started.size() == 2) {
            return;
        }
        boolean onFault = take(4) == 0 && backend.capabilities().contains(Capability.LOCK_ON_FAULT);
        boolean own = take(3) == 0;
        BitSet pages = takePages();
        letGoWhatOverlaps(pages);
        tell("start " + (own ? "by an executor " : "") + (onFault ? "on fault " : "") + pages);
        LockOption[] options = onFault ? new LockOption[] {LockOption.ON_FAULT} : new LockOption[0];
        Started each = new Started(pages, onFault);
        if (own) {
            each.pending =
                    locker.lockAsync(Collections.singletonList(rangeOf(pages)), task -> each.task = task, options);
            started.add(each);
            return;
        }
        synchronized (started) {
            started.add(each);
            each.pending = locker.lockAsync(rangeOf(pages), options);
        }
        boolean begins = begunBesides(each) < room;
        until(
                () -> each.pending.isDone()
                        || locker.statistics().openHandles() == held.size() + begunBesides(null)
                                && (each.arrived || !begins),
                "the lock has not begun");
    }

    private void until(BooleanSupplier condition, String otherwise) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        synchronized (started) {
            while (!condition.getAsBoolean()) {
                assertTrue(System.nanoTime() < end, otherwise);
                try {
                    started.wait(1);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    private void letGo() {
        if (!started.isEmpty()) {
            letGo(started.get(0));
        }
    }

    /** Whoever locks or closes these pages would wait. The oldest goes first, since the system may have room for one only. */
    private void letGoWhatOverlaps(BitSet pages) {
        Fault ordered = fault;
        fault = Fault.NONE;
        while (started.stream().anyMatch(each -> each.hasBegun() && each.pages.intersects(pages))) {
            letGo(started.stream().filter(Started::hasBegun).findFirst().get());
        }
        fault = ordered;
    }

    private void letGo(Started each) {
        if (!each.hasBegun()) {
            letGoWhatOverlaps(each.pages);
        }
        if (each.cancelled) {
            fault = Fault.NONE;
        }
        tell("let go " + each.pages);
        Boolean expected = expected(each.pages, each.onFault);
        if (each.disturbed && rules.has(Trait.CHARGES_TWICE) && expected == Boolean.TRUE) {
            // The engine asks again for what it has just locked, and that may exceed the limit.
            expected = null;
        }
        long calls = kernel.count(Call.MLOCK) + kernel.count(Call.MLOCK2);
        if (each.task != null) {
            each.task.run();
        }
        synchronized (started) {
            each.letGo = true;
            started.notifyAll();
        }
        if (each.cancelled) {
            until(() -> locker.statistics().openHandles() == held.size() + begunBesides(each), "the cancelled is open");
            assertTrue(
                    each.hasBegun() || calls == kernel.count(Call.MLOCK) + kernel.count(Call.MLOCK2),
                    "what was cancelled before it began asked the system");
            started.remove(each);
            awaitNext();
            acceptLosses(each.disturbed);
            return;
        }
        try {
            PageLock lock = each.pending.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
            held.add(new Held(lock, each.pages, each.onFault, generations));
            assertFalse(expected == Boolean.FALSE, "the lock must fail");
        } catch (ExecutionException e) {
            story.append(": ").append(e.getCause().getMessage());
            assertFalse(expected == Boolean.TRUE && !struck, "the lock must succeed");
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("the lock has not ended", e);
        }
        synchronized (started) {
            started.remove(each);
        }
        awaitNext();
        acceptLosses(each.disturbed);
    }

    /** Those that had no room before are in the kernel soon; until then the backend could still take them back. */
    private void awaitNext() {
        until(
                () -> started.stream().filter(Started::hasBegun).limit(room).allMatch(each -> each.arrived),
                "the next lock never reached the kernel");
    }

    private long begunBesides(Started other) {
        return started.stream().filter(each -> each != other && each.hasBegun()).count();
    }

    private void cancel() {
        fault = Fault.NONE;
        if (started.isEmpty()) {
            return;
        }
        Started each = started.get(take(started.size()));
        tell("cancel " + each.pages);
        assertEquals(!each.cancelled, each.pending.cancel(true) && !each.cancelled);
        assertTrue(each.pending.isCancelled());
        each.cancelled = true;
        long ahead = started.stream()
                .limit(started.indexOf(each))
                .filter(Started::hasBegun)
                .count();
        if (each.hasBegun() && ahead >= room) {
            // The system never saw it, so it ends at once.
            letGo(each);
        }
    }

    private void lockAddressSpace() {
        if (!backend.capabilities().contains(Capability.LOCK_ADDRESS_SPACE)) {
            return;
        }
        AddressSpaceScope scope = AddressSpaceScope.values()[take(3)];
        boolean onFault = backend.capabilities().contains(Capability.LOCK_ADDRESS_SPACE_ON_FAULT) && take(3) == 0;
        LockOption[] options = onFault ? new LockOption[] {LockOption.ON_FAULT} : new LockOption[0];
        tell("lock address space " + scope + (onFault ? " on fault" : ""));
        started.forEach(each -> each.disturbed = true);
        boolean fits = !kernel.isBoundByLimit() || kernel.virtualBytes() <= kernel.limit();
        boolean must = kernel.isPermitted() && (fits || !scope.includesCurrent()) && noneOpen();
        try {
            spaces.add(locker.lockAddressSpace(scope, options));
            // On fault, handles are locked again afterwards, and that may have been refused.
            mayBeWeak |= struck;
        } catch (PageLockException | IllegalStateException | OutOfMemoryError e) {
            story.append(": ").append(e.getMessage());
            assertFalse(must && !struck, "the lock of the address space must succeed");
            // Taking back what a failed call left may fail as well.
            futureUnknown |= struck || e.getSuppressed().length > 0;
            acceptLosses(e.getSuppressed().length > 0);
        }
    }

    /** With others open, a failure may also be theirs, when what they ask for no longer fits. */
    private boolean noneOpen() {
        return spaces.isEmpty();
    }

    private void closeAddressSpace() {
        if (spaces.isEmpty()) {
            return;
        }
        started.forEach(each -> each.disturbed = true);
        AddressSpaceLock lock = spaces.get(take(spaces.size()));
        tell("close address space " + lock.scope() + lock.options());
        try {
            lock.close();
            assertFalse(lock.isValid());
            spaces.remove(lock);
            futureUnknown &= !spaces.isEmpty();
        } catch (PageLockException | IllegalStateException | OutOfMemoryError e) {
            story.append(": ").append(e.getMessage());
            if (!lock.isValid()) {
                spaces.remove(lock);
            }
            futureUnknown = true;
            acceptLosses(true);
        }
    }

    /** Handles that the engine reports as not valid; it may do so after a failure only. */
    private void acceptLosses(boolean failed) {
        for (Held each : held) {
            if (failed && !each.lock.isValid()) {
                each.lost = true;
            }
        }
    }

    private void unmap() {
        BitSet pages = takePages();
        tell("unmap " + pages);
        kernel.unmap(addressOf(pages.nextSetBit(0)), pages.cardinality());
        pages.stream().forEach(index -> generations[index]++);
    }

    private void remap() {
        BitSet pages = takePages();
        tell("map " + pages);
        try {
            kernel.mapAt(
                    addressOf(pages.nextSetBit(0)), pages.cardinality(), take(4) == 0 ? Kind.FILE : Kind.ANONYMOUS);
            pages.stream().forEach(index -> generations[index]++);
        } catch (FakeKernel.MapRefusedException e) {
            story.append(": ").append(e.getMessage());
        }
    }

    private void limit() {
        int which = take(6);
        mayBeWeak = true;
        if (which == 5) {
            boolean forbidden = kernel.isPermitted();
            tell("forbid " + forbidden);
            kernel.setForbidden(forbidden);
            return;
        }
        long limit = which == 4 ? Long.MAX_VALUE : page * 8 * which;
        tell("limit " + limit);
        kernel.setLimit(limit);
    }

    private void touchOrProtect() {
        int index = take(PAGES);
        if (take(2) == 0) {
            boolean accessible = take(2) == 0;
            tell("access " + accessible + " to " + index);
            mayBeWeak = true;
            kernel.protect(addressOf(index), 1, accessible);
        } else if (take(2) == 0) {
            tell("touch " + index);
            try {
                kernel.touch(addressOf(index));
            } catch (IllegalStateException e) {
                story.append(": ").append(e.getMessage());
            }
        } else {
            tell("evict");
            kernel.reclaim();
        }
    }

    // What must hold

    private boolean isMapped(int index) {
        return !kernel.mapped(addressOf(index), page).isEmpty();
    }

    private Mode mode(int index) {
        return kernel.mode(addressOf(index));
    }

    private void check() {
        BitSet surely = new BitSet(PAGES);
        BitSet perhaps = new BitSet(PAGES);
        BitSet underWay = new BitSet(PAGES);
        started.stream().filter(Started::hasBegun).forEach(each -> {
            perhaps.or(each.pages);
            if (each.disturbed) {
                underWay.or(each.pages);
            }
        });
        for (Held each : held) {
            perhaps.or(each.pages);
            if (each.limbo) {
                continue;
            }
            surely.or(each.pages);
            assertEquals(!each.lost, each.lock.isValid(), "validity of " + each.pages);
            for (int index = each.pages.nextSetBit(0); index >= 0; index = each.pages.nextSetBit(index + 1)) {
                if (generations[index] == each.generations[index] && !each.lost && !underWay.get(index)) {
                    Mode mode = mode(index);
                    assertTrue(
                            mode == Mode.FULL || mode == Mode.ON_FAULT && (each.onFault || mayBeWeak),
                            "held page " + index + " is " + mode);
                    assertTrue(each.onFault || kernel.isResident(addressOf(index)), "held page " + index + " is out");
                }
            }
        }
        long counted = locker.statistics().lockedBytes() / page;
        assertTrue(
                surely.cardinality() <= counted && counted <= perhaps.cardinality(),
                "the engine counts " + counted + " pages for " + surely + " to " + perhaps);
        assertEquals(held.size() + begunBesides(null), locker.statistics().openHandles());

        if (spaces.isEmpty() && !futureUnknown) {
            long unexplained = 0;
            for (int index = 0; index < PAGES; index++) {
                unexplained += mode(index) != Mode.NONE && !perhaps.get(index) ? 1 : 0;
            }
            long stray = locker.statistics().leftoverBytes() / page;
            assertTrue(
                    unexplained <= stray, unexplained + " pages are locked that nobody holds, " + stray + " are stray");
        }
        if (!futureUnknown) {
            assertEquals(expectedFuture(), kernel.future(), "future locking");
        }
        for (AddressSpaceLock space : spaces) {
            assertTrue(space.isValid());
        }
    }

    private Mode expectedFuture() {
        Mode strongest = Mode.NONE;
        for (AddressSpaceLock space : spaces) {
            if (space.scope().includesFuture()) {
                Mode mode = space.options().contains(LockOption.ON_FAULT) ? Mode.ON_FAULT : Mode.FULL;
                strongest = mode.compareTo(strongest) > 0 ? mode : strongest;
            }
        }
        return strongest;
    }

    /** Everything can be closed, and then nothing is locked. */
    private void end() {
        story.append("\n    the end");
        kernel.setForbidden(false);
        kernel.setLimit(Long.MAX_VALUE);
        while (!started.isEmpty()) {
            letGo();
        }
        kernel.mapAt(area, PAGES, Kind.ANONYMOUS);
        while (!spaces.isEmpty()) {
            AddressSpaceLock last = spaces.remove(spaces.size() - 1);
            last.close();
            assertFalse(last.isValid());
        }
        for (Held each : held) {
            each.lock.close();
            assertFalse(each.lock.isValid());
        }
        held.clear();
        if (backend.capabilities().contains(Capability.LOCK_ADDRESS_SPACE)) {
            locker.lockAddressSpace(AddressSpaceScope.FUTURE).close();
        }
        locker.lock(MemoryRange.of(area, page)).close();
        assertEquals(0, locker.statistics().openHandles(), "open handles at the end");
        assertEquals(0, locker.statistics().lockedBytes(), "bytes held at the end");
        assertEquals(0, locker.statistics().leftoverBytes(), "stray bytes at the end");
        assertEquals(0, kernel.lockedBytes(), "bytes locked in the kernel at the end");
        assertEquals(Mode.NONE, kernel.future());
    }
}
