// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.solaris.ProcMap.Mapping;
import io.pagelock.backend.support.AbstractBackend;
import io.pagelock.backend.support.MemoryFlags;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Host;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.RangeSet;
import io.pagelock.spi.Syncing;
import io.pagelock.spi.Unsigned;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/** Solaris and illumos: memcntl(2) or mctl(3UCB), mincore(2), proc(4). */
final class SolarisBackend extends AbstractBackend implements AddressSpaceLocking, PageStateReading, Syncing {
    private static final int PAGES_AT_ONCE = 1 << 16;
    /** An array of so many bytes, one for each page, is made at most. */
    private static final int MOST_PAGES = 1 << 24;

    private final SolarisCalls calls;
    /** Takes the place of memcntl; or null. */
    private final SolarisCalls.Ucb ucb;

    private final ProcMap proc;
    private final SolarisLimits limits;
    private final SolarisFailure failure;

    SolarisBackend(
            SolarisCalls calls,
            SolarisCalls.Ucb ucb,
            ProcFiles files,
            Supplier<Optional<SystemPages>> systemPages,
            NativeAccess addresses,
            Host host) {
        this(calls, ucb, new ProcMap(files, host.bits(), calls.getpagesize()), systemPages, addresses, host);
    }

    private SolarisBackend(
            SolarisCalls calls,
            SolarisCalls.Ucb ucb,
            ProcMap proc,
            Supplier<Optional<SystemPages>> systemPages,
            NativeAccess addresses,
            Host host) {
        super(
                new BackendInfo(
                        "solaris", host.osName() + " " + host.osVersion(), host.arch(), notes(calls, ucb, proc)),
                capabilities(proc),
                calls.getpagesize(),
                host.bits(),
                addresses);
        this.calls = calls;
        this.ucb = ucb;
        this.proc = proc;
        limits = new SolarisLimits(
                calls,
                this::lockedBytes,
                () -> systemPages.get().map(pages -> pages.limit(pageSize())).orElseGet(SystemPages::unknownLimit));
        failure = new SolarisFailure(this, limits, systemPages, ucb == null ? "memcntl" : "mctl");
    }

    private static Set<Capability> capabilities(ProcMap proc) {
        Set<Capability> found = EnumSet.of(Capability.LOCK_ADDRESS_SPACE, Capability.SYNC, Capability.RESIDENT_PAGES);
        if (proc.mappingsWithLocks().isPresent()) {
            found.add(Capability.LOCKED_PAGES);
            found.add(Capability.LOCKED_BYTES);
        }
        return found;
    }

    private static List<String> notes(SolarisCalls calls, SolarisCalls.Ucb ucb, ProcMap proc) {
        List<String> notes = new ArrayList<>();
        notes.add("numbers and behaviour are those of illumos-gate of March 2019; those of Oracle Solaris 11 are not"
                + " confirmed, and nothing was run on either system");
        if (!proc.mappingsWithLocks().isPresent()) {
            notes.add("/proc/self/xmap cannot be read: which pages are locked is unknown");
        }
        if (!proc.mappings().isPresent()) {
            notes.add("/proc/self/map cannot be read: what is mapped and some causes of failures are unknown");
        }
        if (!calls.has("priv_ineffect")) {
            notes.add("libc lacks priv_ineffect: the privilege " + SolarisLimits.PRIVILEGE + " is unknown");
        }
        if (!calls.has("getrctl")) {
            notes.add("libc lacks getrctl: the limits are unknown");
        }
        if (ucb != null) {
            notes.add("locks through mctl of libucb, which loads BSD variants of C functions into this process");
        }
        return notes;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        if (control(address, length, SolarisConstants.MC_LOCK, 0) != 0) {
            int errno = calls.errno();
            throw failure.ofLock(errno, MemoryRange.of(address, length));
        }
        checkThatLocked(address, length);
    }

    private int control(long address, long length, int command, int argument) {
        // Attributes other than 0 would leave pages out, with success.
        return ucb == null
                ? calls.memcntl(address, length, command, argument, 0, 0)
                : ucb.mctl(address, length, command, argument);
    }

    /** Pages past the end of a file and reserved pages never touched are passed over with success: vm/seg_vn.c. */
    private void checkThatLocked(long address, long length) {
        long end = address + length;
        for (long from = address; from != end; ) {
            int count = (int) Math.min((end - from) / pageSize(), PAGES_AT_ONCE);
            byte[] vector = new byte[count];
            if (calls.mincore(from, count * pageSize(), vector) == 0) {
                for (int i = 0; i < count; i++) {
                    if ((vector[i] & SolarisConstants.SEG_PAGE_INCORE) == 0) {
                        explainAbsent(from + i * pageSize());
                    }
                }
            }
            from += count * pageSize();
        }
    }

    private void explainAbsent(long page) {
        String where = "the page at 0x" + Long.toHexString(page);
        for (Mapping each : proc.mappings().orElse(Collections.emptyList())) {
            if (Unsigned.less(page, each.start) || !Unsigned.less(page, each.end)) {
                continue;
            }
            long size = proc.objectSize(each);
            if (size >= 0 && each.offset + (page - each.start) >= size) {
                throw failure.ofUnlocked(
                        Reason.CANNOT_BE_PAGED_IN,
                        where + " lies past the end of its file, which has " + size + " bytes");
            }
            if ((each.flags & SolarisConstants.MA_NORESERVE) != 0) {
                throw failure.ofUnlocked(
                        Reason.CANNOT_BE_PAGED_IN,
                        where + " is of memory mapped with MAP_NORESERVE and was never written to");
            }
            if (!each.name.isEmpty() && size < 0) {
                // A device: locking it does nothing, and nothing needs to be done.
                return;
            }
        }
        throw failure.ofUnlocked(Reason.UNKNOWN, where + " is not in memory");
    }

    @Override
    public void unlock(long address, long length) {
        if (control(address, length, SolarisConstants.MC_UNLOCK, 0) != 0) {
            int errno = calls.errno();
            throw failure.ofUnlock(errno, MemoryRange.of(address, length));
        }
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        int flags = MemoryFlags.ofLockAll(scope, SolarisConstants.MCL_CURRENT, SolarisConstants.MCL_FUTURE);
        if (control(0, 0, SolarisConstants.MC_LOCKAS, flags) != 0) {
            int errno = calls.errno();
            throw failure.ofLockAll(errno, scope.includesCurrent());
        }
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        if (control(0, 0, SolarisConstants.MC_UNLOCKAS, 0) != 0) {
            int errno = calls.errno();
            throw failure.ofUnlockAll(errno);
        }
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        int flags = MemoryFlags.ofSync(
                options, SolarisConstants.MS_SYNC, SolarisConstants.MS_ASYNC, SolarisConstants.MS_INVALIDATE);
        if (control(address, length, SolarisConstants.MC_SYNC, flags) != 0) {
            int errno = calls.errno();
            throw failure.ofSync(errno, MemoryRange.of(address, length));
        }
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return proc.mappings().map(all -> {
            RangeSet.Builder mapped = RangeSet.builder();
            for (Mapping each : all) {
                long from = Unsigned.max(each.start, range.address());
                long to = Unsigned.min(each.end, range.end());
                if (Unsigned.less(from, to)) {
                    mapped.add(from, to);
                }
            }
            return mapped.build().asList();
        });
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        PageStates.Builder states = PageStates.unknown(range, pageSize());
        Optional<List<Mapping>> known = proc.mappingsWithLocks();
        if (!known.isPresent()) {
            resident(states, range, range.address(), range.end());
            return states.build();
        }
        long at = range.address();
        for (Mapping each : known.get()) {
            long from = Unsigned.max(each.start, range.address());
            long to = Unsigned.min(each.end, range.end());
            if (Unsigned.less(from, to)) {
                unmapped(states, range, at, from);
                resident(states, range, from, to);
                locked(states, range, each, from, to);
                at = to;
            }
        }
        unmapped(states, range, at, range.end());
        return states.build();
    }

    private void unmapped(PageStates.Builder states, MemoryRange range, long from, long to) {
        for (long page = from; Unsigned.less(page, to); page += pageSize()) {
            states.locked(index(range, page), Tristate.NO).resident(index(range, page), Tristate.NO);
        }
    }

    private void resident(PageStates.Builder states, MemoryRange range, long from, long to) {
        for (long at = from, next; at != to; at = next) {
            next = (to - at) / pageSize() > MOST_PAGES ? at + MOST_PAGES * pageSize() : to;
            byte[] vector = mincore(at, next);
            for (int i = 0; i < vector.length; i++) {
                states.resident(index(range, at) + i, Tristate.of((vector[i] & SolarisConstants.SEG_PAGE_INCORE) != 0));
            }
        }
    }

    /**
     * xmap says how many pages of a mapping are locked. Where that is neither none nor all, the undocumented bits of mincore
     * say which, and are believed only if they add up to the same number.
     */
    private void locked(PageStates.Builder states, MemoryRange range, Mapping mapping, long from, long to) {
        long pages = (mapping.end - mapping.start) / pageSize();
        if (mapping.lockedPages == 0 || mapping.lockedPages == pages) {
            Tristate answer = Tristate.of(mapping.lockedPages != 0);
            for (long page = from; page != to; page += pageSize()) {
                states.locked(index(range, page), answer);
            }
            return;
        }
        byte[] vector = mincore(mapping.start, mapping.end);
        long sum = 0;
        for (byte each : vector) {
            sum += each >> 1 & 1;
        }
        if (vector.length != pages || sum != mapping.lockedPages) {
            return;
        }
        for (long page = from; page != to; page += pageSize()) {
            int bits = vector[(int) ((page - mapping.start) / pageSize())];
            states.locked(index(range, page), Tristate.of((bits & SolarisConstants.SEG_PAGE_LOCKED) != 0));
        }
    }

    /** One byte for each page; none if the system does not tell, or that would take much memory. */
    private byte[] mincore(long from, long to) {
        long pages = (to - from) / pageSize();
        if (pages > MOST_PAGES) {
            return new byte[0];
        }
        byte[] vector = new byte[(int) pages];
        return calls.mincore(from, to - from, vector) == 0 ? vector : new byte[0];
    }

    private int index(MemoryRange range, long page) {
        return (int) ((page - range.address()) / pageSize());
    }

    @Override
    public LockLimits limits() {
        return limits.read();
    }

    /** Pages locked by this process, as pmap -x adds them up. */
    OptionalLong lockedBytes() {
        return proc.mappingsWithLocks()
                .map(all -> OptionalLong.of(all.stream()
                                .mapToLong(each -> each.lockedPages(pageSize()))
                                .sum()
                        * pageSize()))
                .orElse(OptionalLong.empty());
    }

    /** What locking everything would charge at least. */
    long residentUnlockedBytes() {
        return proc.mappingsWithLocks()
                .map(all -> all.stream()
                                .mapToLong(each -> each.unlockedPages(pageSize()))
                                .sum()
                        * pageSize())
                .orElse(0L);
    }

    /** An upper bound: reserved memory that was never touched is left out. */
    @Override
    public OptionalLong addressSpaceBytes() {
        return proc.mappings()
                .map(all -> OptionalLong.of(
                        all.stream().mapToLong(each -> each.end - each.start).sum()))
                .orElse(OptionalLong.empty());
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return SolarisRemedies.ALL.of(reason, bytes);
    }
}
