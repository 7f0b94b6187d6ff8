// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.MemoryRange;
import io.pagelock.backend.testkit.KernelRules.Refusal;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.backend.testkit.PageMap.Mapping;
import io.pagelock.backend.testkit.PageMap.Segment;
import io.pagelock.backend.testkit.PageMap.Source;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.RangeSet;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Imitates a process, its memory and a kernel that locks pages, in plain Java. {@link KernelRules} say what the kernel
 * does in each case. There are three groups of methods:
 *
 * <ul>
 *   <li><em>calls</em> ({@link #mlock}, {@link #munlock} and so on), with the arguments of the C functions, for the
 *       fake binding of a backend; they return {@link Errno#OK} or the errno;
 *   <li>the <em>scene</em>: mapping memory, limits, privilege, and failures that a test orders for future calls;
 *   <li>the <em>witness</em>: what is mapped, resident and locked, according to the kernel.
 * </ul>
 *
 * <p>Memory is kept by interval, so a mapping of a terabyte costs as little as a page. All methods may be called by any
 * thread; a call takes effect at one moment.
 */
public final class FakeKernel {
    /** Names what a mapping is made of. */
    public enum Kind {
        /** Private memory without a file. */
        ANONYMOUS,
        /** Memory without a file for which no swap space was set aside (MAP_NORESERVE). */
        RESERVED,
        /** A file that is as long as the mapping until {@link FakeKernel#truncate}. */
        FILE,
        /** Memory that the kernel may drop at any time; locking it succeeds and does nothing (MAP_DROPPABLE). */
        DROPPABLE
    }

    /** Names how the kernel keeps a page. */
    public enum Mode {
        /** Not locked. */
        NONE,
        /** Locked once it is touched; charged already. */
        ON_FAULT,
        /** Locked. */
        FULL
    }

    /** Flags of {@link FakeKernel#mlockall}. */
    public enum Flag {
        /** MCL_CURRENT. */
        CURRENT,
        /** MCL_FUTURE. */
        FUTURE,
        /** MCL_ONFAULT. */
        ON_FAULT
    }

    /** Names the calls that {@link Interceptor} and the ordered failures distinguish. */
    public enum Call {
        /** {@link FakeKernel#mlock}. */
        MLOCK,
        /** {@link FakeKernel#mlock2}. */
        MLOCK2,
        /** {@link FakeKernel#munlock}. */
        MUNLOCK,
        /** {@link FakeKernel#mlockall}. */
        MLOCKALL,
        /** {@link FakeKernel#munlockall}. */
        MUNLOCKALL,
        /** {@link FakeKernel#msync}. */
        MSYNC,
        /** {@link FakeKernel#mincore}. */
        MINCORE,
        /** {@link FakeKernel#populate}. */
        POPULATE
    }

    /** Stands before and after every call, outside the kernel's own lock: to wait, to refuse, to throw, to record. */
    public interface Interceptor {
        /**
         * Called before the kernel does anything.
         *
         * @param call which call
         * @param address its first argument, 0 if it has none
         * @param length its second argument, 0 if it has none
         * @return {@link Errno#OK} to go on, anything else to refuse the call without effect
         */
        Errno before(Call call, long address, long length);

        /**
         * Runs after the kernel has carried out the call.
         *
         * @param call which call
         * @param address its first argument, 0 if it has none
         * @param length its second argument, 0 if it has none
         * @param result the outcome
         */
        default void after(Call call, long address, long length, Errno result) {}
    }

    /** Reports that the kernel did not make a mapping: in future mode, new memory must fit the limit. */
    public static final class MapRefusedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        /** The errno of the refusal. */
        private final Errno errno;

        MapRefusedException(Errno errno) {
            super("mmap: " + errno);
            this.errno = errno;
        }

        /**
         * Returns the errno of the refused mapping.
         *
         * @return the errno
         */
        public Errno errno() {
            return errno;
        }
    }

    private static final long GAP = 16;

    private final KernelRules rules;
    private final int shift;
    private final OrderedFaults faults = new OrderedFaults();
    private final FakeAio aio = new FakeAio(this);

    private final FakeProcess process;
    private long nextPage;
    private String lastSync = "";
    private final Map<MemoryGuard, Set<Long>> guarded = new EnumMap<>(MemoryGuard.class);

    /**
     * Starts a process without memory, limits and privilege.
     *
     * @param rules what its kernel does
     */
    public FakeKernel(KernelRules rules) {
        this(rules, rules.addressBits() == 32 ? 0x4000_0000L : 0x7f00_0000_0000L);
    }

    /**
     * Starts a process whose memory begins at a given address.
     *
     * @param rules what its kernel does
     * @param firstAddress where the first mapping is made, unsigned
     */
    public FakeKernel(KernelRules rules, long firstAddress) {
        this(rules, new FakeProcess(rules, new Allowance(rules), new PageMap()), firstAddress);
    }

    private FakeKernel(KernelRules rules, FakeProcess process, long firstAddress) {
        this.rules = Objects.requireNonNull(rules, "rules");
        this.process = process;
        this.shift = Long.numberOfTrailingZeros(rules.pageSize());
        this.nextPage = firstAddress >>> shift;
        if (nextPage == 0) {
            throw new IllegalArgumentException("nothing is ever mapped at address 0");
        }
    }

    /**
     * Returns what this kernel does.
     *
     * @return the rules
     */
    public KernelRules rules() {
        return rules;
    }

    /**
     * Returns the asynchronous calls of this process.
     *
     * @return always the same
     */
    public FakeAio aio() {
        return aio;
    }

    // Calls

    /**
     * Answers mlock(2), or MC_LOCK of memcntl(2).
     *
     * @param address the address, unsigned
     * @param length the length in bytes, unsigned
     * @return the outcome
     */
    public Errno mlock(long address, long length) {
        return call(Call.MLOCK, address, length, () -> process.lock(address, length, Mode.FULL));
    }

    /**
     * Answers mlock2(2).
     *
     * @param address the address, unsigned
     * @param length the length in bytes, unsigned
     * @param onFault MLOCK_ONFAULT
     * @return the outcome; {@link Errno#ENOSYS} without {@link Trait#ON_FAULT}
     */
    public Errno mlock2(long address, long length, boolean onFault) {
        return call(
                Call.MLOCK2,
                address,
                length,
                () -> rules.has(Trait.ON_FAULT)
                        ? process.lock(address, length, onFault ? Mode.ON_FAULT : Mode.FULL)
                        : Errno.ENOSYS);
    }

    /**
     * Answers munlock(2), or MC_UNLOCK of memcntl(2).
     *
     * @param address the address, unsigned
     * @param length the length in bytes, unsigned
     * @return the outcome
     */
    public Errno munlock(long address, long length) {
        return call(Call.MUNLOCK, address, length, () -> process.unlock(address, length));
    }

    /**
     * Answers mlockall(2), or MC_LOCKAS of memcntl(2).
     *
     * @param flags what to lock
     * @return the outcome
     */
    public Errno mlockall(Set<Flag> flags) {
        return call(Call.MLOCKALL, 0, 0, () -> process.lockAll(flags));
    }

    /**
     * Answers munlockall(2), or MC_UNLOCKAS of memcntl(2).
     *
     * @return the outcome
     */
    public Errno munlockall() {
        return call(Call.MUNLOCKALL, 0, 0, process::unlockAll);
    }

    /**
     * Answers msync(2), or MC_SYNC of memcntl(2). There is nothing to write; only the arguments matter.
     *
     * @param address the address, unsigned
     * @param length the length in bytes, unsigned
     * @param sync MS_SYNC
     * @param async MS_ASYNC
     * @param invalidate MS_INVALIDATE
     * @return the outcome
     */
    public Errno msync(long address, long length, boolean sync, boolean async, boolean invalidate) {
        return call(Call.MSYNC, address, length, () -> {
            lastSync = (async ? "async" : "sync") + (invalidate ? " invalidate" : "");
            return process.sync(address, length, sync && async, invalidate);
        });
    }

    /**
     * Answers mincore(2).
     *
     * @param address the address, on a page boundary
     * @param length the length in bytes
     * @param vector receives 1 for each page that is resident, and 0 for the others
     * @return the outcome
     */
    public Errno mincore(long address, long length, byte[] vector) {
        return call(Call.MINCORE, address, length, () -> process.resident(address, length, vector));
    }

    /**
     * Brings pages in without locking them, as madvise(2) with MADV_POPULATE_READ does.
     *
     * @param address the address, on a page boundary
     * @param length the length in bytes
     * @return the outcome
     */
    public Errno populate(long address, long length) {
        return call(Call.POPULATE, address, length, () -> process.populate(address, length));
    }

    /**
     * Begins or ends a guard of pages: mprotect(2), madvise(2) and their like.
     *
     * @param address the address, on a page boundary
     * @param length the length in bytes
     * @param guard which one
     * @param on whether it begins
     * @return the outcome
     */
    public synchronized Errno guard(long address, long length, MemoryGuard guard, boolean on) {
        long start = process.firstPage(address);
        long end = process.endPage(address, length);
        if (process.memory.hasHole(start, end)) {
            return rules.errno(Refusal.HOLE);
        }
        if (guard == MemoryGuard.NO_ACCESS) {
            process.memory.update(start, end, segment -> segment.accessible(!on));
        } else if (guard == MemoryGuard.SECRET) {
            process.memory.update(start, end, segment -> segment.resident(false).mode(on ? Mode.FULL : Mode.NONE));
        }
        Set<Long> pages = guarded.computeIfAbsent(guard, none -> new HashSet<>());
        for (long page = start; page < end; page++) {
            if (on) {
                pages.add(page);
            } else {
                pages.remove(page);
            }
        }
        return Errno.OK;
    }

    /**
     * Reports whether a page is guarded.
     *
     * @param address an address in the page
     * @param guard which guard
     * @return whether it is
     */
    public synchronized boolean isGuarded(long address, MemoryGuard guard) {
        return guarded.getOrDefault(guard, Collections.emptySet()).contains(process.firstPage(address));
    }

    private Errno call(Call call, long address, long length, Supplier<Errno> effect) {
        return faults.around(call, address, length, () -> {
            synchronized (this) {
                return effect.get();
            }
        });
    }

    // Scene

    /**
     * Maps memory at an address of the kernel's choice, readable and writable, not yet touched.
     *
     * @param pages how many pages
     * @param kind what it is made of
     * @return the address
     * @throws MapRefusedException in future mode, if it does not fit the limit
     */
    public synchronized long map(long pages, Kind kind) {
        return map(pages, kind, true);
    }

    /**
     * Maps memory without access, as PROT_NONE does; see {@link #protect}.
     *
     * @param pages how many pages
     * @return the address
     * @throws MapRefusedException in future mode, if it does not fit the limit
     */
    public synchronized long mapInaccessible(long pages) {
        return map(pages, Kind.ANONYMOUS, false);
    }

    private long map(long pages, Kind kind, boolean accessible) {
        long start = nextPage;
        process.insert(start, pages, kind, accessible);
        nextPage = start + pages + GAP;
        return start << shift;
    }

    /**
     * Maps memory at a given address, in place of what is there (MAP_FIXED).
     *
     * @param address the address, on a page boundary
     * @param pages how many pages
     * @param kind what it is made of
     * @throws MapRefusedException in future mode, if it does not fit the limit
     */
    public synchronized void mapAt(long address, long pages, Kind kind) {
        process.insert(process.firstPage(address), pages, kind, true);
        nextPage = Math.max(nextPage, process.firstPage(address) + pages + GAP);
    }

    /**
     * Makes a child, as fork(2) does: with the same memory, limits and rights, and without locks.
     *
     * @return the child's side
     */
    public synchronized FakeKernel fork() {
        return new FakeKernel(rules, process.fork(), nextPage << shift);
    }

    /**
     * Unmaps a range, holes included.
     *
     * @param address the address, on a page boundary
     * @param pages how many pages
     */
    public synchronized void unmap(long address, long pages) {
        process.memory.remove(process.firstPage(address), process.firstPage(address) + pages);
    }

    /**
     * Gives or takes access to pages, as mprotect(2) with PROT_NONE or all rights.
     *
     * @param address the address, on a page boundary
     * @param pages how many pages
     * @param accessible whether they may be read and written
     */
    public synchronized void protect(long address, long pages, boolean accessible) {
        process.memory.update(
                process.firstPage(address),
                process.firstPage(address) + pages,
                segment -> segment.accessible(accessible));
    }

    /**
     * Changes the length of the file that is mapped at an address. Pages past its end leave memory.
     *
     * @param address an address in the mapping
     * @param pages how many pages the file has from now on
     */
    public synchronized void truncate(long address, long pages) {
        Segment file = process.memory.at(process.firstPage(address));
        if (file == null || file.mapping.kind != Kind.FILE) {
            throw new IllegalArgumentException("no file is mapped at 0x" + Long.toHexString(address));
        }
        Mapping mapping = file.mapping;
        long fileEnd = Math.min(mapping.start + pages, mapping.end);
        process.memory.update(
                mapping.start,
                fileEnd,
                segment -> segment.mapping == mapping && segment.source == Source.PAST_END
                        ? segment.source(Source.GOOD)
                        : segment);
        process.memory.update(
                fileEnd,
                mapping.end,
                segment -> segment.mapping == mapping ? segment.source(Source.PAST_END) : segment);
    }

    /**
     * Makes a page unreadable on its device, or readable again. A page that is resident stays so.
     *
     * @param address an address in the page
     * @param broken whether reading it fails
     */
    public synchronized void breakPage(long address, boolean broken) {
        long page = process.firstPage(address);
        process.memory.update(page, page + 1, segment -> segment.source(broken ? Source.BROKEN : Source.GOOD));
    }

    /**
     * Reads or writes a byte.
     *
     * @param address its address
     * @throws IllegalStateException where a real process would get SIGSEGV or SIGBUS
     */
    public synchronized void touch(long address) {
        long page = process.firstPage(address);
        Segment segment = process.memory.at(page);
        if (segment == null || !segment.accessible || !segment.resident && segment.source != Source.GOOD) {
            throw new IllegalStateException("SIGSEGV or SIGBUS at 0x" + Long.toHexString(address));
        }
        process.memory.update(page, page + 1, each -> each.resident(true));
    }

    /** Evicts everything that is not locked, as under pressure for memory. */
    public synchronized void reclaim() {
        process.memory.update(
                0, Long.MAX_VALUE, segment -> segment.mode == Mode.NONE ? segment.resident(false) : segment);
    }

    /**
     * Sets the soft limit of the process.
     *
     * @param bytes the limit; {@link Long#MAX_VALUE} for unlimited
     */
    public synchronized void setLimit(long bytes) {
        process.may.limit = bytes;
        process.may.hardLimit = Math.max(process.may.hardLimit, bytes);
    }

    /**
     * Sets the hard limit of the process.
     *
     * @param bytes the limit; {@link Long#MAX_VALUE} for unlimited
     */
    public synchronized void setHardLimit(long bytes) {
        process.may.hardLimit = bytes;
    }

    /**
     * Sets how much may be locked in the whole system.
     *
     * @param bytes the limit; {@link Long#MAX_VALUE} for unlimited
     */
    public synchronized void setSystemLimit(long bytes) {
        process.may.systemLimit = bytes;
    }

    /**
     * Sets how many mappings the process may have.
     *
     * @param mappings the limit; {@link Long#MAX_VALUE} for unlimited
     */
    public synchronized void setMapCountLimit(long mappings) {
        process.may.mapCountLimit = mappings;
    }

    /**
     * Gives or takes the privilege: root, CAP_IPC_LOCK, proc_lock_memory, MLOCK.
     *
     * @param value whether the process has it
     */
    public synchronized void setPrivileged(boolean value) {
        process.may.privileged = value;
    }

    /**
     * Forbids locking whatever the privilege, as a jail can, or permits it again.
     *
     * @param value whether it is forbidden
     */
    public synchronized void setForbidden(boolean value) {
        process.may.forbidden = value;
    }

    /**
     * Sets the interceptor of every call from now on, replacing the previous one.
     *
     * @param around the interceptor; null for none
     */
    public void intercept(@Nullable Interceptor around) {
        faults.intercept(around);
    }

    /**
     * Orders a call to be refused, without effect and without any cause that can be found afterwards.
     *
     * @param call which call; null for any
     * @param nth which call from now on, 1 for the next
     * @param errno how it is refused
     */
    public void failAt(@Nullable Call call, int nth, Errno errno) {
        faults.fail(call, nth, errno);
    }

    /**
     * Orders a call to end in an exception instead of returning, as when the JVM runs out of memory around a native
     * call.
     *
     * @param call which call; null for any
     * @param nth which call from now on, 1 for the next
     * @param thrown an error or runtime exception
     * @param afterwards whether the call takes effect first
     */
    public void throwAt(@Nullable Call call, int nth, Throwable thrown, boolean afterwards) {
        faults.fail(call, nth, thrown, afterwards);
    }

    /** Forgets every ordered failure that has not occurred. */
    public void clearFaults() {
        faults.clear();
    }

    // Witness

    /**
     * Reports whether a page is in memory and must stay there.
     *
     * @param address an address in the page
     * @return whether it is locked
     */
    public synchronized boolean isLocked(long address) {
        Segment segment = process.memory.at(process.firstPage(address));
        return segment != null && segment.resident && segment.mode != Mode.NONE;
    }

    /**
     * Reports how the kernel keeps a page.
     *
     * @param address an address in the page
     * @return the mode; {@link Mode#NONE} if it is not mapped
     */
    public synchronized Mode mode(long address) {
        Segment segment = process.memory.at(process.firstPage(address));
        return segment == null ? Mode.NONE : segment.mode;
    }

    /**
     * Reports whether a page is in memory.
     *
     * @param address an address in the page
     * @return whether it is resident
     */
    public synchronized boolean isResident(long address) {
        Segment segment = process.memory.at(process.firstPage(address));
        return segment != null && segment.resident;
    }

    /**
     * Reports whether every page of a range is in memory and must stay there.
     *
     * @param address the start, on a page boundary
     * @param length the length in bytes
     * @return whether all are locked
     */
    public synchronized boolean isAllLocked(long address, long length) {
        long start = process.firstPage(address);
        long end = process.endPage(address, length);
        return process.memory.sum(start, end, segment -> segment.resident && segment.mode != Mode.NONE) == end - start;
    }

    /**
     * Returns how much of a range is charged as locked, in memory or to be locked on first touch.
     *
     * @param address the start, on a page boundary
     * @param length the length in bytes
     * @return bytes
     */
    public synchronized long chargedBytes(long address, long length) {
        return process.memory.sum(
                        process.firstPage(address),
                        process.endPage(address, length),
                        segment -> segment.mode != Mode.NONE)
                << shift;
    }

    /**
     * Reports whether a range has a page that could not be brought in: without access, or past the end of its file.
     *
     * @param address the start, on a page boundary
     * @param length the length in bytes
     * @return whether there is one; what a device would say is not known
     */
    public synchronized boolean isAnyUnreachable(long address, long length) {
        return process.memory.any(
                process.firstPage(address),
                process.endPage(address, length),
                segment -> !process.isReadable(segment) || segment.source == Source.PAST_END);
    }

    /**
     * Returns the mapped parts of a range.
     *
     * @param address the start, on a page boundary
     * @param length the length in bytes
     * @return sorted, disjoint and not touching each other
     */
    public synchronized List<MemoryRange> mapped(long address, long length) {
        RangeSet.Builder parts = RangeSet.builder();
        long end = process.endPage(address, length);
        for (long page = process.firstPage(address); page < end; ) {
            Segment segment = process.memory.at(page);
            long next = segment == null ? process.memory.nextStart(page, end) : Math.min(segment.end, end);
            if (segment != null) {
                parts.add(page << shift, next << shift);
            }
            page = next;
        }
        return parts.build().asList();
    }

    /** Returns how many unlocks each mapped part of a range takes, in order: what mach_vm_region says. */
    synchronized Map<MemoryRange, Integer> locks(long address, long length) {
        Map<MemoryRange, Integer> parts = new LinkedHashMap<>();
        long end = process.endPage(address, length);
        for (long page = process.firstPage(address); page < end; ) {
            Segment segment = process.memory.at(page);
            long next = segment == null ? process.memory.nextStart(page, end) : process.memory.endOfMapping(page, end);
            if (segment != null) {
                parts.put(MemoryRange.of(page << shift, next - page << shift), segment.locks);
            }
            page = next;
        }
        return parts;
    }

    /**
     * Returns what the process has locked, by the kernel's count.
     *
     * @return bytes
     */
    public synchronized long lockedBytes() {
        return process.lockedPages() << shift;
    }

    /**
     * Returns how much the limit of the process counts, which may be less than what is locked.
     *
     * @return bytes
     */
    public synchronized long limitedBytes() {
        return process.lockedPages() - process.passedByLimit() << shift;
    }

    /**
     * Returns what the process has mapped.
     *
     * @return bytes
     */
    public synchronized long virtualBytes() {
        return process.virtualPages() << shift;
    }

    /**
     * Returns how {@link #msync} was last asked to write pages back.
     *
     * @return {@code sync} or {@code async}, with {@code  invalidate} after it if that was asked for; empty if it was not called
     */
    public synchronized String lastSync() {
        return lastSync;
    }

    /**
     * Returns how new mappings will be locked.
     *
     * @return the mode; {@link Mode#NONE} outside future mode
     */
    public synchronized Mode future() {
        return process.future;
    }

    /**
     * Returns the soft limit of the process.
     *
     * @return bytes; {@link Long#MAX_VALUE} for unlimited
     */
    public synchronized long limit() {
        return process.may.limit;
    }

    /**
     * Returns the hard limit of the process.
     *
     * @return bytes; {@link Long#MAX_VALUE} for unlimited
     */
    public synchronized long hardLimit() {
        return process.may.hardLimit;
    }

    /**
     * Returns what the whole system may lock.
     *
     * @return bytes; {@link Long#MAX_VALUE} for unlimited
     */
    public synchronized long systemLimit() {
        return process.may.systemLimit;
    }

    /**
     * Returns how many mappings the process may have.
     *
     * @return the limit; {@link Long#MAX_VALUE} for unlimited
     */
    public synchronized long mapCountLimit() {
        return process.may.mapCountLimit;
    }

    /**
     * Returns how many mappings the process has; one whose pages are kept in different ways counts several times.
     *
     * @return the number of mappings
     */
    public synchronized long mapCount() {
        return process.memory.mappings();
    }

    /**
     * Reports whether the process has the privilege.
     *
     * @return whether it has
     */
    public synchronized boolean isPrivileged() {
        return process.may.privileged;
    }

    /**
     * Reports whether the process may lock at all.
     *
     * @return false if every lock is {@link Refusal#PERMISSION}
     */
    public synchronized boolean isPermitted() {
        return process.may.mayLock();
    }

    /**
     * Reports whether the limit of the process binds it.
     *
     * @return false if there is none, or privilege lifts it
     */
    public synchronized boolean isBoundByLimit() {
        return process.may.limitBinds();
    }

    /**
     * Returns how often a call was made.
     *
     * @param call which call
     * @return the number, refused ones included
     */
    public long count(Call call) {
        return faults.count(call);
    }
}
