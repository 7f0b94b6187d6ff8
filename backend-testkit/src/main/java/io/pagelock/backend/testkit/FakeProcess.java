// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.FakeKernel.MapRefusedException;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import io.pagelock.backend.testkit.KernelRules.Refusal;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.backend.testkit.PageMap.Mapping;
import io.pagelock.backend.testkit.PageMap.Segment;
import io.pagelock.backend.testkit.PageMap.Source;
import io.pagelock.spi.Unsigned;
import java.util.Set;

/**
 * What each call of a process of a {@link FakeKernel} does to its memory, by the rules of that kernel. Guarded by the kernel.
 */
final class FakeProcess {
    final Allowance may;
    PageMap memory;
    Mode future = Mode.NONE;

    private final KernelRules rules;
    private final int shift;

    FakeProcess(KernelRules rules, Allowance may, PageMap memory) {
        this.rules = rules;
        this.may = may;
        this.memory = memory;
        this.shift = Long.numberOfTrailingZeros(rules.pageSize());
    }

    /** A child has the same memory, limits and rights, and no locks. */
    FakeProcess fork() {
        FakeProcess child = new FakeProcess(rules, may.copy(), memory.copy());
        child.memory.update(0, Long.MAX_VALUE, segment -> segment.mode(Mode.NONE));
        return child;
    }

    Errno unlockAll() {
        if (has(Trait.NO_LOCK_ALL)) {
            return Errno.ENOSYS;
        }
        if (!may.mayUnlock()) {
            return rules.errno(Refusal.PERMISSION);
        }
        future = Mode.NONE;
        memory.update(0, Long.MAX_VALUE, segment -> segment.mode(Mode.NONE));
        return Errno.OK;
    }

    Errno sync(long address, long length, boolean contradicting, boolean invalidate) {
        boolean unaligned = (address & (rules.pageSize() - 1)) != 0;
        if (contradicting || unaligned && has(Trait.UNALIGNED_SYNC_IS_REFUSED)) {
            return rules.errno(Refusal.ARGUMENT);
        }
        if (wraps(address, length)) {
            return rules.errno(Refusal.WRAP);
        }
        long start = firstPage(address);
        long end = endPage(address, length);
        Errno locked = rules.errno(Refusal.LOCKED);
        if (locked != Errno.OK && invalidate && memory.any(start, end, segment -> segment.mode != Mode.NONE)) {
            return locked;
        }
        return memory.hasHole(start, end) ? rules.errno(Refusal.HOLE) : Errno.OK;
    }

    Errno resident(long address, long length, byte[] vector) {
        if ((address & (rules.pageSize() - 1)) != 0) {
            return rules.errno(Refusal.ARGUMENT);
        }
        long start = firstPage(address);
        long end = endPage(address, length);
        if (memory.hasHole(start, end)) {
            return rules.errno(Refusal.HOLE);
        }
        for (long page = start; page < end; page++) {
            vector[(int) (page - start)] = (byte) (memory.at(page).resident ? 1 : 0);
        }
        return Errno.OK;
    }

    Errno populate(long address, long length) {
        long start = firstPage(address);
        long end = endPage(address, length);
        return memory.hasHole(start, end) ? rules.errno(Refusal.HOLE) : bringIn(start, end);
    }

    Errno lock(long address, long length, Mode mode) {
        Errno argument = checkArguments(address, length);
        if (argument != Errno.OK
                && has(Trait.LIMIT_BEFORE_WRAP)
                && may.limit != Long.MAX_VALUE
                && may.exceedsLimit(length >>> shift)) {
            argument = rules.errno(Refusal.LIMIT);
        }
        Errno refused = check(argument, may.mayLock());
        boolean isNothing = length == 0 && has(Trait.EMPTY_LOCKS_NOTHING);
        if (refused != Errno.OK || isNothing || isEmptyOnceRounded(address, length)) {
            return refused;
        }
        long start = firstPage(address);
        long end = endPage(address, length);
        if (has(Trait.LOCKS_ARE_COUNTED)) {
            return new CountedLocks(this, rules).lock(start, end);
        }
        Errno limited = checkLimits(start, end);
        if (limited != Errno.OK) {
            return limited;
        }
        PageMap before = memory.copy();
        Errno result = setMode(start, end, mode);
        if (result == Errno.OK && mode == Mode.FULL) {
            result = bringIn(start, end);
        }
        if (result != Errno.OK && !has(Trait.FAILED_LOCK_KEEPS)) {
            memory = before;
        }
        return result;
    }

    Errno unlock(long address, long length) {
        Errno refused = check(checkArguments(address, length), may.mayUnlock());
        if (refused != Errno.OK || isEmptyOnceRounded(address, length)) {
            return refused;
        }
        long start = firstPage(address);
        long end = endPage(address, length);
        if (has(Trait.LOCKS_ARE_COUNTED)) {
            return new CountedLocks(this, rules).unlock(start, end);
        }
        if (!has(Trait.UNLOCK_STOPS_AT_HOLE) && memory.hasHole(start, end)) {
            return rules.errno(Refusal.HOLE);
        }
        return setMode(start, end, Mode.NONE);
    }

    Errno lockAll(Set<Flag> flags) {
        if (has(Trait.NO_LOCK_ALL)) {
            return Errno.ENOSYS;
        }
        boolean current = flags.contains(Flag.CURRENT);
        boolean onFault = flags.contains(Flag.ON_FAULT);
        boolean meaningless = !current && !flags.contains(Flag.FUTURE) || onFault && !has(Trait.ON_FAULT);
        if (meaningless && (has(Trait.FLAGS_BEFORE_PERMISSION) || may.mayLock())) {
            return rules.errno(Refusal.ARGUMENT);
        }
        if (!may.mayLock()) {
            return rules.errno(Refusal.PERMISSION);
        }
        Errno limited = current ? may.checkLimit(virtualPages(), 0, 0) : Errno.OK;
        if (limited != Errno.OK && !has(Trait.LIMIT_AFTER_FUTURE)) {
            return limited;
        }
        Mode mode = onFault ? Mode.ON_FAULT : Mode.FULL;
        Mode before = future;
        if (flags.contains(Flag.FUTURE)) {
            future = mode;
        } else if (has(Trait.CURRENT_ENDS_FUTURE)) {
            future = Mode.NONE;
        }
        Errno result = limited == Errno.OK && current ? lockCurrent(mode) : limited;
        if (result != Errno.OK && !has(Trait.FAILED_LOCK_ALL_LEAVES_FUTURE)) {
            future = before;
        }
        return result;
    }

    private Errno lockCurrent(Mode mode) {
        boolean ignoring = has(Trait.LOCK_ALL_IGNORES_FAILURES);
        boolean blocked = memory.any(
                0,
                Long.MAX_VALUE,
                segment -> takesLocks(segment)
                        && isReadable(segment)
                        && !segment.resident
                        && segment.source != Source.GOOD);
        if (blocked && !ignoring) {
            return rules.errno(Refusal.LOCK_ALL_PAGE);
        }
        memory.update(0, Long.MAX_VALUE, segment -> {
            if (!takesLocks(segment) || !ignoring && !isReadable(segment)) {
                return segment;
            }
            boolean comesIn = mode == Mode.FULL && isReadable(segment) && segment.source == Source.GOOD;
            return segment.mode(mode).resident(segment.resident || comesIn);
        });
        return Errno.OK;
    }

    private Errno check(Errno argument, boolean permitted) {
        Errno permission = permitted ? Errno.OK : rules.errno(Refusal.PERMISSION);
        Errno first = has(Trait.ARGUMENTS_BEFORE_PERMISSION) ? argument : permission;
        return first == Errno.OK ? argument == Errno.OK ? permission : argument : first;
    }

    private Errno checkArguments(long address, long length) {
        boolean unaligned = (address & (rules.pageSize() - 1)) != 0;
        if (unaligned && has(Trait.UNALIGNED_IS_REFUSED) || length == 0 && has(Trait.EMPTY_IS_REFUSED)) {
            return rules.errno(Refusal.ARGUMENT);
        }
        return !isEmptyOnceRounded(address, length) && wraps(address, length) ? rules.errno(Refusal.WRAP) : Errno.OK;
    }

    private boolean isEmptyOnceRounded(long address, long length) {
        long offset = address & (rules.pageSize() - 1);
        if (length == 0) {
            return offset == 0;
        }
        long rounded = offset + length + rules.pageSize() - 1;
        boolean becomesZero = Unsigned.less(rounded, rules.pageSize());
        return becomesZero && has(Trait.HUGE_LENGTH_LOCKS_NOTHING);
    }

    private boolean wraps(long address, long length) {
        long end = address + length;
        if (Unsigned.less(end, address) || length != 0 && end == 0) {
            return true;
        }
        long last = rules.addressBits() == 64 ? -rules.pageSize() : (1L << rules.addressBits()) - rules.pageSize();
        return Unsigned.less(last, end);
    }

    long firstPage(long address) {
        return address >>> shift;
    }

    long endPage(long address, long length) {
        return Math.max(
                (address + length + rules.pageSize() - 1) >>> shift, firstPage(address) + (length == 0 ? 1 : 0));
    }

    private Errno checkLimits(long start, long end) {
        long locked = memory.sum(start, end, segment -> segment.mode != Mode.NONE);
        return may.checkLimit(lockedPages() + end - start, locked, passedByLimit());
    }

    /** Goes from mapping to mapping and stops at a hole. */
    private Errno setMode(long start, long end, Mode mode) {
        long page = start;
        while (page < end) {
            if (memory.at(page) == null) {
                return rules.errno(Refusal.HOLE);
            }
            long next = memory.endOfMapping(page, end);
            PageMap before = may.mapCountLimit == Long.MAX_VALUE ? null : memory.copy();
            memory.update(
                    page, next, segment -> takesLocks(segment) || mode == Mode.NONE ? segment.mode(mode) : segment);
            if (before != null && memory.mappings() > may.mapCountLimit) {
                memory = before;
                return rules.errno(Refusal.MAP_COUNT);
            }
            page = next;
        }
        return Errno.OK;
    }

    /** Whether locking changes these pages at all; where not, the call succeeds all the same. */
    private boolean takesLocks(Segment segment) {
        return segment.mapping.kind != Kind.DROPPABLE
                && !(segment.source == Source.PAST_END && has(Trait.PAST_END_IS_SKIPPED))
                && !(segment.mapping.kind == Kind.RESERVED && !segment.resident && has(Trait.RESERVED_IS_SKIPPED));
    }

    boolean isReadable(Segment segment) {
        return segment.accessible || has(Trait.UNREADABLE_IS_LOCKED);
    }

    Errno bringIn(long start, long end) {
        for (long page = start; page < end; page = Math.min(memory.at(page).end, end)) {
            Segment segment = memory.at(page);
            if (!takesLocks(segment)) {
                continue;
            }
            if (!isReadable(segment)) {
                return rules.errno(Refusal.UNREADABLE);
            }
            if (!segment.resident && segment.source != Source.GOOD) {
                return rules.errno(segment.source == Source.BROKEN ? Refusal.READ_FAILED : Refusal.PAST_END);
            }
            memory.update(page, Math.min(segment.end, end), each -> each.resident(true));
        }
        return Errno.OK;
    }

    void insert(long start, long pages, Kind kind, boolean accessible) {
        if (pages < 1) {
            throw new IllegalArgumentException(pages + " pages; a mapping has one or more");
        }
        PageMap before = memory.copy();
        memory.remove(start, start + pages);
        Mode mode = future;
        if (mode != Mode.NONE) {
            long after = lockedPages() + pages;
            if (may.exceedsLimit(after - passedByLimit())) {
                memory = before;
                throw new MapRefusedException(rules.errno(Refusal.FUTURE_LIMIT));
            }
            if (may.exceedsSystemLimit(after)) {
                if (!has(Trait.FUTURE_SHORTAGE_IS_SILENT)) {
                    memory = before;
                    throw new MapRefusedException(rules.errno(Refusal.FUTURE_LIMIT));
                }
                mode = Mode.NONE;
            }
        }
        Mapping mapping = new Mapping(kind, start, start + pages);
        Segment segment = new Segment(start + pages, mapping, accessible, Mode.NONE, 0, false, Source.GOOD);
        if (takesLocks(segment) && (isReadable(segment) || has(Trait.LOCK_ALL_IGNORES_FAILURES))) {
            segment = segment.mode(mode).resident(mode == Mode.FULL && isReadable(segment));
        }
        memory.put(start, segment);
    }

    long lockedPages() {
        return memory.sum(0, Long.MAX_VALUE, segment -> segment.mode != Mode.NONE);
    }

    /** Pages that are locked, and that the limit of the process does not count. */
    long passedByLimit() {
        return has(Trait.LIMIT_COUNTS_PAGE_TABLE)
                ? memory.sum(
                        0,
                        Long.MAX_VALUE,
                        segment -> segment.mode != Mode.NONE && !(segment.accessible && segment.resident))
                : 0;
    }

    long virtualPages() {
        return memory.sum(0, Long.MAX_VALUE, segment -> true);
    }

    private boolean has(Trait trait) {
        return rules.has(trait);
    }
}
