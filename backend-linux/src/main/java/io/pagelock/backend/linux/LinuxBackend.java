// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

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
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.Status;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.Host;
import io.pagelock.spi.LimitChecking;
import io.pagelock.spi.MappingBudget;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.PagingIn;
import io.pagelock.spi.Syncing;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.ToLongFunction;

/** Linux: mlock(2), mlock2(2), mlockall(2), msync(2), mincore(2), madvise(2), proc(5). */
final class LinuxBackend
        implements Backend, AddressSpaceLocking, PageStateReading, PagingIn, Syncing, LimitChecking, MappingBudget {
    /** Up to so many pages, asking of each page whether it is locked is cheaper than asking where mappings end. */
    private static final int ASK_BY_PAGE_RATHER_THAN_QUERY = 8;

    /** The same, where mappings must be read. */
    private static final int ASK_BY_PAGE_RATHER_THAN_READ = 128;

    /**
     * Mappings may change while they are gone through to unlock; then they are read again, so often at most. What comes after
     * that unlocks what should stay locked, so it must not be reached because other threads are busy.
     */
    private static final int UNLOCK_PASSES = 16;

    private static final int PAGES_AT_ONCE = 1 << 16;

    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final ProcSelf proc;
    private final LinuxLimits limits;
    private final LinuxRemedies remedies;
    private final LinuxFailure failure;
    private final LockOracle oracle;
    private final MemoryGuard memory;
    private final MappingCount mappingCount;
    private final MappingQuery query;
    private final ToLongFunction<ByteBuffer> addresses;
    private final BackendInfo info;
    private final Set<Capability> capabilities;
    private final long pageSize;
    private final int addressBits;
    private final boolean mayDrop;
    /** Whether future locking may be on; the engine never has two calls for all under way. */
    private volatile boolean future;

    LinuxBackend(
            LinuxCalls calls,
            LinuxConstants constants,
            ProcFiles files,
            ToLongFunction<ByteBuffer> addresses,
            Host host,
            String java) {
        this.calls = calls;
        this.constants = constants;
        this.addresses = addresses;
        this.addressBits = host.bits();
        this.pageSize = calls.getpagesize();
        this.proc = new ProcSelf(files);
        this.oracle = new LockOracle(calls, constants);
        this.mappingCount = new MappingCount(proc);
        this.query = new MappingQuery(calls, constants);
        this.limits = new LinuxLimits(calls, constants, proc);
        this.remedies = new LinuxRemedies(proc, limits, java);
        this.memory = new MemoryGuard(calls, proc, limits, pageSize);
        LinuxRelease release = LinuxRelease.parse(host.osVersion());
        // MAP_DROPPABLE came with 6.11; a release that cannot be read may be newer.
        this.mayDrop = release.atLeast(6, 11);
        this.failure = new LinuxFailure(constants, proc, limits, remedies, oracle, pageSize, !release.atLeast(4, 9));
        List<String> notes = new ArrayList<>(LinuxConstants.unconfirmed(host.arch()));
        this.capabilities = Collections.unmodifiableSet(probe(notes));
        this.info = new BackendInfo("linux", "Linux " + host.osVersion(), host.arch(), notes);
    }

    private Set<Capability> probe(List<String> notes) {
        Set<Capability> found = EnumSet.of(Capability.LOCK_ADDRESS_SPACE, Capability.SYNC);
        String missing = calls.has("mlock2") ? mlock2Refusal() : "the C library has no mlock2 (glibc before 2.27)";
        if (missing.isEmpty()) {
            found.add(Capability.LOCK_ON_FAULT);
            found.add(Capability.LOCK_ADDRESS_SPACE_ON_FAULT);
        } else {
            notes.add("no lock on fault: " + missing);
        }
        if (proc.status().lockedBytes().isPresent()) {
            found.add(Capability.LOCKED_BYTES);
        } else {
            notes.add("/proc/self/status cannot be read: locked bytes and the causes of failures are unknown");
        }
        if (proc.mappings(0, 1).isPresent()) {
            found.add(Capability.LOCKED_PAGES);
            found.add(Capability.RESIDENT_PAGES);
            // Of no bytes, so that the answer tells only whether the kernel knows the advice: 5.14 and later.
            if (calls.madvise(0, 0, LinuxConstants.MADV_POPULATE_READ) == 0) {
                found.add(Capability.PAGE_IN);
            }
        } else {
            notes.add("/proc/self/maps cannot be read: the state of pages and the causes of failures are unknown");
        }
        return found;
    }

    /** Locks nothing, so that the answer tells only whether the kernel has the call: 4.4 and later. */
    private String mlock2Refusal() {
        if (calls.mlock2(0, 0, LinuxConstants.MLOCK_ONFAULT) == 0) {
            return "";
        }
        int errno = calls.errno();
        // The permission is tested first: with a limit of 0 even nothing is refused. Old seccomp profiles answer the
        // same.
        boolean noLimit = limits.memlock(proc.status()).soft().bytes().orElse(1) == 0;
        return noLimit && constants.errno.is(errno, "EPERM")
                ? ""
                : "mlock2 is refused with errno " + errno + " (" + constants.errno.name(errno)
                        + "), the kernel is older than 4.4 or a seccomp filter forbids it";
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public long pageSize() {
        return pageSize;
    }

    @Override
    public int addressBits() {
        return addressBits;
    }

    @Override
    public Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        boolean onFault = options.contains(LockOption.ON_FAULT);
        if (!onFault) {
            memory.beforeLock(address, length);
        }
        int result =
                onFault ? calls.mlock2(address, length, LinuxConstants.MLOCK_ONFAULT) : calls.mlock(address, length);
        if (result != 0) {
            int errno = calls.errno();
            throw failure.ofLock(onFault ? "mlock2" : "mlock", errno, address, length);
        }
        if (mayDrop) {
            checkThatLocked(onFault ? "mlock2" : "mlock", address, length);
        }
    }

    /** Droppable memory is passed over with success: mm/mlock.c, mlock_fixup(). */
    private void checkThatLocked(String function, long address, long length) {
        long pages = length / pageSize;
        if (pages <= ASK_BY_PAGE_RATHER_THAN_QUERY || pages <= ASK_BY_PAGE_RATHER_THAN_READ && !query.isUsable()) {
            for (long at = address; at != address + length; at += pageSize) {
                check(function, at, pageSize);
            }
        } else if (!query.isUsable() || !checkByQuery(function, address, length)) {
            checkByReading(function, address, length);
        }
    }

    private void check(String function, long address, long length) {
        if (oracle.allMappedAndNoneLocked(address, length)) {
            explainUnlocked(function, address, length);
        }
    }

    private boolean checkByQuery(String function, long address, long length) {
        int fd = query.open();
        try {
            for (long at = address; at != address + length; ) {
                MappingQuery.Found mapping = fd < 0 ? null : query.at(fd, at);
                if (mapping == null) {
                    return false;
                }
                long part = Math.min(mapping.end - at, address + length - at);
                check(function, at, part);
                at += part;
            }
            return true;
        } finally {
            query.close(fd);
        }
    }

    private void checkByReading(String function, long address, long length) {
        Optional<List<Mapping>> mappings = proc.mappings(address, address + length);
        if (!mappings.isPresent()) {
            // Not every page is asked for; the first mapping is, and often is the only one.
            check(function, address, length);
            return;
        }
        for (Mapping each : mappings.get()) {
            Mapping part = each.clip(address, address + length);
            check(function, part.start, part.length());
        }
    }

    private void explainUnlocked(String function, long address, long length) {
        Optional<List<Mapping>> mappings = proc.flagged(address, address + length);
        if (!mappings.isPresent()) {
            throw failure.ofUnexplained(function, new Range(address, length).toString());
        }
        for (Mapping each : mappings.get()) {
            if (!each.hasFlags()) {
                throw failure.ofUnexplained(function, new Range(address, length).toString());
            }
            if (each.has("dp")) {
                throw failure.ofDroppable(function, each);
            }
        }
        // Otherwise of a kind that is never evicted and therefore never flagged: device memory, hugetlbfs, DAX.
    }

    @Override
    public void unlock(long address, long length) {
        if (calls.munlock(address, length) != 0) {
            int errno = calls.errno();
            throw failure.ofUnlock(errno, address, length);
        }
    }

    /**
     * In the way in which mlock does it, which breaks copies of private memory and dirties no file: mm/gup.c. It pays where
     * the processor has to zero or copy.
     */
    @Override
    public boolean pageIn(long address, long length) {
        int fd = query.isUsable() ? query.open() : -1;
        try {
            return fd < 0 ? pageInByReading(address, length) : pageInByQuery(fd, address, length);
        } finally {
            query.close(fd);
        }
    }

    private boolean pageInByQuery(int fd, long address, long length) {
        for (long at = address; at != address + length; ) {
            MappingQuery.Found mapping = query.at(fd, at);
            if (mapping == null) {
                return false;
            }
            long part = Math.min(mapping.end - at, address + length - at);
            if (!pageIn(at, part, mapping.copiesWhenWritten(), mapping.onDisk())) {
                return false;
            }
            at += part;
        }
        return true;
    }

    private boolean pageInByReading(long address, long length) {
        Optional<List<Mapping>> mappings = proc.mappings(address, address + length);
        if (!mappings.isPresent()) {
            return false;
        }
        for (Mapping each : mappings.get()) {
            Mapping part = each.clip(address, address + length);
            if (!part.isKnown() || !pageIn(part.start, part.length(), part.copiesWhenWritten(), part.onDisk())) {
                return false;
            }
        }
        return true;
    }

    private boolean pageIn(long address, long length, boolean write, boolean onDisk) {
        if (onDisk && !write) {
            // Several readers spoil each other's reading ahead: 1 GiB took 1.4 s with two, 1.1 with one.
            return false;
        }
        int advice = write ? LinuxConstants.MADV_POPULATE_WRITE : LinuxConstants.MADV_POPULATE_READ;
        return calls.madvise(address, length, advice) == 0;
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        int flags = 0;
        if (scope.includesCurrent()) {
            flags |= constants.mclCurrent;
        }
        if (scope.includesFuture()) {
            flags |= constants.mclFuture;
        }
        if (options.contains(LockOption.ON_FAULT)) {
            flags |= constants.mclOnfault;
        }
        boolean before = future;
        boolean wanted = scope.includesFuture();
        // Also if an error comes between the call and what follows it.
        future = before || wanted;
        if (calls.mlockall(flags) != 0) {
            int errno = calls.errno();
            future = before;
            throw failure.ofLockAll(errno, scope.includesCurrent());
        }
        future = wanted;
    }

    /** The limit is tested before anything changes: mm/mlock.c, mlockall(). */
    @Override
    public boolean failedLockAllLeavesNothing() {
        return true;
    }

    /**
     * Unlocks around what is to be kept. mlockall with current and on fault, without future, ends future locking, pages
     * nothing in and leaves everything flagged as locked; what is outside is then unlocked mapping by mapping. That call needs
     * the right to lock the whole virtual size. Without it future locking can only be ended by munlockall, which unlocks
     * everything: mm/mlock.c, apply_mlockall_flags(). If future locking is off, unlocking around is all there is to do, and
     * needs no right.
     */
    @Override
    public void unlockAll(List<MemoryRange> keep) {
        if (!keep.isEmpty()
                && capabilities.contains(Capability.LOCK_ADDRESS_SPACE_ON_FAULT)
                && calls.mlockall(constants.mclCurrent | constants.mclOnfault) == 0) {
            future = false;
        }
        if (!keep.isEmpty() && !future) {
            for (int pass = 0; pass < UNLOCK_PASSES; pass++) {
                if (unlockOutside(keep, pass == 0)) {
                    return;
                }
            }
        }
        if (calls.munlockall() != 0) {
            int errno = calls.errno();
            throw failure.other("munlockall", errno);
        }
        future = false;
    }

    /**
     * Unlocks outside of what is to be kept.
     *
     * @param joined whether adjacent mappings are unlocked with one call: the fewest calls, but one that changes meanwhile
     *     spoils it for the others
     * @return whether nothing was left locked
     */
    private boolean unlockOutside(List<MemoryRange> keep, boolean joined) {
        Optional<List<Mapping>> mappings = proc.mappings();
        if (!mappings.isPresent()) {
            return false;
        }
        List<Range> all = new ArrayList<>();
        mappings.get().forEach(each -> all.add(new Range(each.start, each.length())));
        boolean done = true;
        for (Range part : outside(joined ? join(mappings.get()) : all, keep)) {
            if (calls.munlock(part.start, part.length) != 0 && oracle.anyLocked(part.start, part.length)) {
                done = false;
            }
        }
        return done;
    }

    private static List<Range> outside(List<Range> parts, List<MemoryRange> keep) {
        List<Range> outside = new ArrayList<>();
        for (Range part : parts) {
            long at = part.start;
            long end = part.start + part.length;
            for (MemoryRange kept : keep) {
                if (Long.compareUnsigned(kept.end(), at) <= 0 || Long.compareUnsigned(kept.address(), end) >= 0) {
                    continue;
                }
                if (Long.compareUnsigned(kept.address(), at) > 0) {
                    outside.add(new Range(at, kept.address() - at));
                }
                at = kept.end();
            }
            if (Long.compareUnsigned(at, end) < 0) {
                outside.add(new Range(at, end - at));
            }
        }
        return outside;
    }

    /** Adjacent mappings as one. */
    private static List<Range> join(List<Mapping> mappings) {
        List<Range> joined = new ArrayList<>();
        for (Mapping each : mappings) {
            Range last = joined.isEmpty() ? null : joined.get(joined.size() - 1);
            if (last != null && last.start + last.length == each.start) {
                joined.set(joined.size() - 1, new Range(last.start, last.length + each.length()));
            } else {
                joined.add(new Range(each.start, each.length()));
            }
        }
        return joined;
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        int flags = options.contains(SyncOption.ASYNC) ? constants.msAsync : constants.msSync;
        if (options.contains(SyncOption.INVALIDATE)) {
            flags |= constants.msInvalidate;
        }
        if (calls.msync(address, length, flags) != 0) {
            int errno = calls.errno();
            throw failure.ofSync(errno, address, length);
        }
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        Optional<List<Mapping>> mappings = proc.mappings(range.address(), range.end());
        if (!mappings.isPresent()) {
            return Optional.empty();
        }
        List<Mapping> parts = new ArrayList<>();
        for (Mapping each : mappings.get()) {
            if (!each.isKnown()) {
                return Optional.empty();
            }
            parts.add(each.clip(range.address(), range.end()));
        }
        List<MemoryRange> mapped = new ArrayList<>();
        for (Range each : join(parts)) {
            mapped.add(MemoryRange.of(each.start, each.length));
        }
        return Optional.of(mapped);
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        PageStates.Builder states = PageStates.unknown(range, pageSize);
        Optional<List<Mapping>> mappings = proc.mappings(range.address(), range.end());
        if (!mappings.isPresent()) {
            return states.build();
        }
        long at = range.address();
        for (Mapping each : mappings.get()) {
            Mapping part = each.clip(range.address(), range.end());
            unmapped(states, range, at, part.start);
            for (long from = part.start; isWhole(part) && from != part.end; ) {
                long length = Math.min(part.end - from, PAGES_AT_ONCE * pageSize);
                mapped(states, range, part.clip(from, from + length));
                from += length;
            }
            at = part.end;
        }
        unmapped(states, range, at, range.end());
        return states.build();
    }

    /** Whether it is a mapping and of whole pages. */
    private boolean isWhole(Mapping part) {
        return part.isKnown() && ((part.start | part.end) & pageSize - 1) == 0;
    }

    private void unmapped(PageStates.Builder states, MemoryRange range, long from, long to) {
        long last = to & -pageSize;
        for (long at = from + pageSize - 1 & -pageSize; Long.compareUnsigned(at, last) < 0; at += pageSize) {
            states.locked(index(range, at), Tristate.NO).resident(index(range, at), Tristate.NO);
        }
    }

    private int index(MemoryRange range, long address) {
        return (int) ((address - range.address()) / pageSize);
    }

    /** What the pages of one mapping are; the answers of the kernel are combined in {@link Residency}. */
    private void mapped(PageStates.Builder states, MemoryRange range, Mapping part) {
        int count = (int) (part.length() / pageSize);
        byte[] vector = new byte[count];
        boolean asked = calls.mincore(part.start, part.length(), vector) == 0;
        boolean flagged = oracle.locked(part);
        Residency residency = new Residency(
                asked ? vector : null,
                proc.pagemap(Long.divideUnsigned(part.start, pageSize), count).orElse(null),
                asked && tellsTruth(part, vector));
        Tristate untold = flagged && residency.needsKindOfLock() ? lockedIfUntold(part) : Tristate.UNKNOWN;
        for (int i = 0; i < count; i++) {
            int page = index(range, part.start) + i;
            states.resident(page, residency.resident(i))
                    .locked(page, flagged ? residency.lockedIfFlagged(i, untold) : Tristate.NO);
        }
    }

    /**
     * Whether mincore tells what is resident. For a file that this process neither owns nor may write, it says of every page
     * that it is, since Linux 5.2 and in stable releases before: mm/mincore.c, can_do_mincore().
     */
    private boolean tellsTruth(Mapping part, byte[] vector) {
        if (part.anonymous()) {
            return true;
        }
        for (byte each : vector) {
            if ((each & 1) == 0) {
                return true;
            }
        }
        Status status = proc.status();
        if (proc.ownsEveryFile(status) == Tristate.YES) {
            return true;
        }
        // Elsewhere than in the initial namespace, different foreign users show as the same number.
        Optional<ProcFiles.FileFacts> file = proc.file(part);
        return file.isPresent()
                && (status.fileUser().equals(OptionalLong.of(file.get().owner))
                                && proc.inInitialUserNamespace() == Tristate.YES
                        || status.actsAsRealUser() && proc.mayWrite(part));
    }

    /** Under a full lock everything that could be brought in is locked; under one on fault, that is open. */
    private Tristate lockedIfUntold(Mapping part) {
        Optional<List<Mapping>> mappings = proc.flagged(part.start, part.end);
        return mappings.isPresent()
                        && !mappings.get().isEmpty()
                        && mappings.get().stream().allMatch(each -> each.has("lo") && !each.has("lf"))
                ? Tristate.YES
                : Tristate.UNKNOWN;
    }

    @Override
    public LockLimits limits() {
        return limits.read();
    }

    @Override
    public void checkLimits(long address, long length) {
        memory.check(address, length);
    }

    @Override
    public OptionalLong mostMappings() {
        return mappingCount.mostMappings();
    }

    @Override
    public OptionalLong mappings() {
        return mappingCount.mappings();
    }

    @Override
    public OptionalLong addressSpaceBytes() {
        return proc.status().sizeBytes();
    }

    @Override
    public String remedy(Reason reason, long bytes) {
        return remedies.remedy(reason, bytes);
    }

    @Override
    public long address(ByteBuffer buffer) {
        return addresses.applyAsLong(buffer);
    }

    /** An address and a length, where {@link MemoryRange} would refuse the end of the address space. */
    private static final class Range {
        final long start;
        final long length;

        Range(long start, long length) {
            this.start = start;
            this.length = length;
        }

        @Override
        public String toString() {
            return "0x" + Long.toHexString(start) + "-0x" + Long.toHexString(start + length);
        }
    }
}
