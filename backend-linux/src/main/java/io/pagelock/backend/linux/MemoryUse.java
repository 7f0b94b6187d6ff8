// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.backend.linux.proc.KernelText;
import io.pagelock.spi.Names;
import java.util.OptionalLong;

/**
 * A bound on memory that the kernel enforces by killing, that of a control group or of the machine, and how much of it is in
 * use. Immutable; all sizes in bytes.
 */
final class MemoryUse {
    /** At most; a process that has nothing left is killed for the next page that it touches. */
    private static final long RESERVE = 8 << 20;

    private static final String MACHINE = "physical memory";

    /** For example {@code memory of the control group /a}. */
    final String name;
    /** The file that sets the limit; empty if there is none. */
    final String file;

    final LimitValue limit;
    /** The limit on memory and swap together, of version 1; the largest number if there is none. */
    final long withSwap;
    /** The unlocked cache of files, which makes room. */
    final long files;
    /** What stays unless something is swapped out: all but that cache; with a little for programs to go on. */
    final long kept;
    /** The part of {@link #kept} that the kernel might free by swapping or shrinking its own caches. */
    final long reclaimable;

    private final long unlocked;

    private MemoryUse(
            String name,
            String file,
            LimitValue limit,
            long withSwap,
            long files,
            long locked,
            long inUse,
            long reclaimable) {
        this.name = name;
        this.file = Names.text(KernelText.bytes(file));
        this.limit = limit;
        this.withSwap = withSwap;
        this.files = files;
        long withoutReserve = Math.max(0, Math.max(locked, inUse));
        this.kept = withoutReserve + Math.min(RESERVE, limit.bytes().orElse(0) / 32);
        this.unlocked = withoutReserve - Math.max(0, locked);
        this.reclaimable = Math.max(0, Math.min(reclaimable, unlocked));
    }

    /**
     * The memory of the machine.
     *
     * @param files the unlocked cache of files
     * @param locked what can never be reclaimed
     * @param inUse what is in use, but for that cache
     * @param reclaimable how much of that might be reclaimed
     */
    static MemoryUse ofMachine(long limit, long files, long locked, long inUse, long reclaimable) {
        return new MemoryUse(MACHINE, "", LimitValue.ofBytes(limit), Long.MAX_VALUE, files, locked, inUse, reclaimable);
    }

    /** The memory of a control group; for the rest see {@link #ofMachine}. */
    static MemoryUse ofGroup(
            String group,
            String file,
            long limit,
            long withSwap,
            long files,
            long locked,
            long inUse,
            long reclaimable) {
        return new MemoryUse(name(group), file, LimitValue.ofBytes(limit), withSwap, files, locked, inUse, reclaimable);
    }

    /** A group whose numbers cannot be read. */
    static MemoryUse unknown(String group) {
        return new MemoryUse(name(group), "", LimitValue.unknown(), Long.MAX_VALUE, 0, 0, 0, 0);
    }

    private static String name(String group) {
        return "memory of the control group " + (group.isEmpty() ? "/" : Names.text(KernelText.bytes(group)));
    }

    /** Returns how much fits for certain; may be negative. Without a known limit, nothing. */
    long room() {
        return limit.bytes().isPresent() ? limit.bytes().getAsLong() - kept : 0;
    }

    /** Returns how much may fit at best, after everything that can be was reclaimed; unbounded if unknown. */
    long mostRoom() {
        return limit.bytes().isPresent() ? limit.bytes().getAsLong() - (kept - reclaimable) : Long.MAX_VALUE;
    }

    /**
     * Returns this as a limit for users, of which a forecast says yes only within {@link #room}.
     *
     * @param own what of this process is in memory and not locked: it may be what is to be locked
     */
    LockLimit toLimit(long own) {
        LockLimit.Scope scope = isMachine() ? LockLimit.Scope.SYSTEM : LockLimit.Scope.CONTAINER;
        OptionalLong used = limit.isKnown() ? OptionalLong.of(kept) : OptionalLong.empty();
        return LockLimit.builder(name, scope)
                .soft(limit)
                .used(used)
                .onMemory(Math.min(unlocked, reclaimable + own))
                .build();
    }

    /** Reports whether this is the memory of the machine, to which everything is charged. */
    boolean isMachine() {
        return name.equals(MACHINE);
    }
}
