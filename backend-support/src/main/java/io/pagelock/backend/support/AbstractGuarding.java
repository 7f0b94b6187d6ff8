// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.MemoryGuarding;
import io.pagelock.spi.PageStateReading;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Implements the part of {@link MemoryGuarding} that is the same everywhere: access by mprotect(2), and the checks and
 * refusals.
 */
public abstract class AbstractGuarding implements MemoryGuarding {
    /** Numbers that are the same on every system here: sys/mman.h of Linux and FreeBSD. */
    private static final int PROT_NONE = 0;

    private static final int PROT_READ_WRITE = 3;

    private final GuardCalls calls;
    private final ErrnoTable errnos;
    private final PageStateReading mappings;
    private final boolean passesOverHoles;
    private Set<MemoryGuard> guards;

    /**
     * Keeps the arguments. Does not call the system.
     *
     * @param calls the system
     * @param errnos its error numbers
     * @param mappings reports where a hole is
     * @param passesOverHoles whether the system guards the rest of a range with a hole and reports success
     */
    protected AbstractGuarding(
            GuardCalls calls, ErrnoTable errnos, PageStateReading mappings, boolean passesOverHoles) {
        this.calls = calls;
        this.errnos = errnos;
        this.mappings = mappings;
        this.passesOverHoles = passesOverHoles;
    }

    @Override
    public final synchronized Set<MemoryGuard> guards() {
        if (guards == null) {
            Set<MemoryGuard> found = EnumSet.of(MemoryGuard.NO_ACCESS);
            found.addAll(probe());
            guards = Collections.unmodifiableSet(found);
        }
        return guards;
    }

    /**
     * Determines which guards the system has in addition to {@link MemoryGuard#NO_ACCESS}. Called once, on first use.
     *
     * @return the guards
     */
    protected abstract Set<MemoryGuard> probe();

    /**
     * Begins or ends a guard other than {@link MemoryGuard#NO_ACCESS}.
     *
     * @param address the start
     * @param length the length in bytes
     * @param guard one of {@link #guards}
     * @param on whether it begins
     */
    protected abstract void set(long address, long length, MemoryGuard guard, boolean on);

    /** Throws if the system has no room for another guard. Called before each guard begins. */
    protected void beforeGuard() {
        // Most systems have no limit.
    }

    @Override
    public final void guard(long address, long length, MemoryGuard guard) {
        beforeGuard();
        change(address, length, guard, true);
    }

    @Override
    public final void unguard(long address, long length, MemoryGuard guard) {
        change(address, length, guard, false);
    }

    private void change(long address, long length, MemoryGuard guard, boolean on) {
        if (!guards().contains(guard)) {
            throw new UnsupportedOperationException("this system cannot keep memory " + guard);
        }
        if (passesOverHoles && hasHole(address, length)) {
            throw PageLockException.because(Reason.NOT_MAPPED)
                    .action("guard memory")
                    .build();
        }
        if (guard == MemoryGuard.NO_ACCESS) {
            int protection = on ? PROT_NONE : PROT_READ_WRITE;
            check("mprotect", calls.mprotect(address, length, protection), address, length);
        } else {
            set(address, length, guard, on);
        }
    }

    /**
     * Throws if a call failed.
     *
     * @param function its name
     * @param result what it returned; -1 is a failure
     * @param address the start of its range
     * @param length the length in bytes
     */
    protected final void check(String function, long result, long address, long length) {
        if (result == -1) {
            throw refusal(function, calls.errno(), address, length);
        }
    }

    /**
     * Looks for a hole.
     *
     * @param address the start
     * @param length the length in bytes
     * @return true if part of the range is not mapped; false also if that is not known
     */
    protected final boolean hasHole(long address, long length) {
        Optional<List<MemoryRange>> parts = mappings.mapped(MemoryRange.of(address, length));
        return parts.isPresent()
                && (parts.get().size() != 1 || parts.get().get(0).length() != length);
    }

    /**
     * Makes the exception of a refused call.
     *
     * @param function its name
     * @param errno errno right after it
     * @param address the start of its range
     * @param length the length in bytes
     * @return the exception
     */
    protected final PageLockException refusal(String function, int errno, long address, long length) {
        Reason known = errnos.reason(errno);
        boolean hole = known == Reason.UNKNOWN && hasHole(address, length);
        String name = errnos.name(errno);
        return PageLockException.because(hole ? Reason.NOT_MAPPED : known)
                .action("guard memory")
                .call(function, errno, name == null ? "unknown" : name)
                .build();
    }
}
