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
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.FileReading;
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

/** Linux: mlock(2), mlock2(2), mlockall(2), msync(2), mincore(2), madvise(2), proc(5). */
final class LinuxBackend
        implements Backend,
                AddressSpaceLocking,
                PageStateReading,
                PagingIn,
                FileReading,
                Syncing,
                LimitChecking,
                MappingBudget {
    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final ProcSelf proc;
    private final LinuxLimits limits;
    private final LinuxRemedies remedies;
    private final LinuxFailure failure;
    private final LockProof proof;
    private final FilePages filePages;
    private final SideBySide sideBySide;
    private final UnlockAround unlockAround;
    private final PageStateReader pageStates;
    private final MemoryGuard memory;
    private final MappingCount mappingCount;
    private final NativeAccess addresses;
    private final BackendInfo info;
    private final Set<Capability> capabilities;
    private final long pageSize;
    private final int addressBits;
    /** Whether future locking may be on; the engine never has two calls for all under way. */
    private volatile boolean future;

    LinuxBackend(
            LinuxCalls calls,
            LinuxConstants constants,
            ProcFiles files,
            NativeAccess addresses,
            Host host,
            String java) {
        this.calls = calls;
        this.constants = constants;
        this.addresses = addresses;
        this.addressBits = host.bits();
        this.pageSize = calls.getpagesize();
        this.proc = new ProcSelf(files);
        this.mappingCount = new MappingCount(proc);
        this.limits = new LinuxLimits(calls, constants, proc);
        this.remedies = new LinuxRemedies(proc, limits, java);
        this.memory = new MemoryGuard(calls, proc, limits, pageSize);
        LockOracle oracle = new LockOracle(calls, constants, proc);
        MappingQuery query = new MappingQuery(calls, constants);
        LinuxRelease release = LinuxRelease.parse(host.osVersion());
        this.failure = new LinuxFailure(constants, proc, limits, remedies, oracle, pageSize, !release.atLeast(4, 9));
        // MAP_DROPPABLE came with 6.11; a release that cannot be read may be newer.
        boolean mayDrop = release.atLeast(6, 11);
        this.proof = new LockProof(calls, oracle, query, proc, failure, addresses, pageSize, mayDrop);
        this.sideBySide = new SideBySide(calls, query, proc);
        this.unlockAround = new UnlockAround(calls, proc, oracle);
        this.pageStates = new PageStateReader(calls, proc, oracle, pageSize);
        List<String> notes = new ArrayList<>(LinuxConstants.unconfirmed(host.arch()));
        if (!oracle.refusal().isEmpty()) {
            notes.add("msync is refused (" + oracle.refusal()
                    + "): whether memory is locked is read from /proc/self/smaps, which makes each lock slow");
        }
        this.capabilities = Collections.unmodifiableSet(probe(notes));
        this.filePages =
                new FilePages(calls, constants, proc, query, failure, capabilities.contains(Capability.PAGE_IN));
        this.info = addresses.describe(new BackendInfo("linux", "Linux " + host.osVersion(), host.arch(), notes));
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
            filePages.readInAll(address, length);
        }
        String function = onFault ? "mlock2" : "mlock";
        int result =
                onFault ? calls.mlock2(address, length, LinuxConstants.MLOCK_ONFAULT) : calls.mlock(address, length);
        if (result != 0) {
            int errno = calls.errno();
            throw failure.ofLock(function, errno, address, length);
        }
        proof.check(function, address, length);
    }

    @Override
    public long readIn(long address, long length) {
        return filePages.readIn(address, length);
    }

    @Override
    public void unlock(long address, long length) {
        if (calls.munlock(address, length) != 0) {
            int errno = calls.errno();
            throw failure.ofUnlock(errno, address, length);
        }
    }

    @Override
    public boolean pageIn(long address, long length) {
        return sideBySide.pageIn(address, length);
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
        if (scope.includesCurrent() && !options.contains(LockOption.ON_FAULT)) {
            memory.checkAll();
            filePages.readInAllMapped();
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
        proof.checkAll("mlockall", scope.includesCurrent());
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
        if (!keep.isEmpty() && !future && unlockAround.unlock(keep)) {
            return;
        }
        if (calls.munlockall() != 0) {
            int errno = calls.errno();
            throw failure.other("munlockall", errno);
        }
        future = false;
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
        for (Span each : Span.join(parts)) {
            mapped.add(MemoryRange.of(each.start, each.length));
        }
        return Optional.of(mapped);
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        return pageStates.read(range);
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
    public List<String> remedies(Reason reason, long bytes) {
        return remedies.of(reason, bytes);
    }

    @Override
    public long address(ByteBuffer buffer) {
        return addresses.address(buffer);
    }
}
