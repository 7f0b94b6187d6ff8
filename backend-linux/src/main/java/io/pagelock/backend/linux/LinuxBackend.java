// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.support.AbstractBackend;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.GuardCalls;
import io.pagelock.backend.support.MemoryFlags;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.backend.support.Refusals;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.FileReading;
import io.pagelock.spi.Host;
import io.pagelock.spi.LimitChecking;
import io.pagelock.spi.LockingAgain;
import io.pagelock.spi.MappingBudget;
import io.pagelock.spi.MemoryGuarding;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.PagingIn;
import io.pagelock.spi.RangeSet;
import io.pagelock.spi.Syncing;
import java.lang.invoke.MethodHandles;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/** Linux: mlock(2), mlock2(2), mlockall(2), msync(2), mincore(2), madvise(2), proc(5). */
final class LinuxBackend extends AbstractBackend
        implements AddressSpaceLocking,
                PageStateReading,
                PagingIn,
                FileReading,
                Syncing,
                LimitChecking,
                LockingAgain,
                MappingBudget {
    private static final String MLOCK = "mlock";
    private static final String MLOCK2 = "mlock2";
    private static final String MUNLOCK = "munlock";
    /** How often a call is made that is refused without a cause. */
    private static final int MOST_CALLS = 2;

    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final ProcSelf proc;
    private final LinuxLimits limits;
    private final LinuxRemedies remedies;
    private final LinuxFailure failure;
    private final LockOracle oracle;
    private final LockProof proof;
    private final FilePages filePages;
    private final AnonymousPages anonymousPages;
    private final SideBySide sideBySide;
    private final UnlockAround unlockAround;
    private final PageStateReader pageStates;
    private final MemoryGuard memory;
    private final MappingCount mappingCount;
    /** Whether future locking may be on; the engine never has two calls for all under way. */
    private volatile boolean future;

    LinuxBackend(
            LinuxCalls calls,
            LinuxConstants constants,
            ProcFiles files,
            NativeAccess addresses,
            Host host,
            String java) {
        this(new LinuxProbe(calls, constants, new ProcSelf(files), host), addresses, host, java);
    }

    private LinuxBackend(LinuxProbe found, NativeAccess addresses, Host host, String java) {
        super(found.info, found.capabilities, found.calls.getpagesize(), host.bits(), addresses);
        calls = found.calls;
        constants = found.constants;
        proc = found.proc;
        limits = found.limits;
        oracle = found.oracle;
        LinuxRelease release = LinuxRelease.parse(host.osVersion());
        MappingQuery query = new MappingQuery(calls, constants);
        mappingCount = new MappingCount(proc);
        remedies = new LinuxRemedies(proc, limits, java);
        memory = new MemoryGuard(calls, proc, limits, pageSize());
        Refusals refusals = new Refusals(constants.errno, remedies);
        failure = new LinuxFailure(refusals, proc, limits, found.oracle, pageSize(), !release.atLeast(4, 9));
        // MAP_DROPPABLE came with 6.11; a release that cannot be read may be newer.
        boolean mayDrop = release.atLeast(6, 11);
        proof = new LockProof(calls, found.oracle, query, proc, refusals, addresses, pageSize(), mayDrop);
        sideBySide = new SideBySide(calls, query, proc);
        unlockAround = new UnlockAround(calls, proc, found.oracle);
        pageStates = new PageStateReader(calls, proc, found.oracle, pageSize());
        anonymousPages = new AnonymousPages(query, pageSize());
        filePages = new FilePages(
                calls, constants, proc, query, refusals, capabilities().contains(Capability.PAGE_IN));
    }

    /** Adds the ability to guard memory. */
    LinuxBackend guardedBy(CLibrary library, String arch) {
        addGuarding(new Supplier<MemoryGuarding>() {
            @Override
            public MemoryGuarding get() {
                GuardCalls guardCalls = library.bind(MethodHandles.lookup(), GuardCalls.class);
                GuardRoom room = new GuardRoom(mappingCount, () -> remedies.of(Reason.TOO_MANY_MAPPINGS, 0));
                return new LinuxGuarding(guardCalls, constants, arch, LinuxBackend.this, room, failure);
            }
        });
        return this;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        anonymousPages.forget(address, length);
        if (options.contains(LockOption.ON_FAULT)) {
            check(MLOCK2, calls.mlock2(address, length, LinuxConstants.MLOCK_ONFAULT), address, length);
            proof.check(MLOCK2, address, length);
        } else {
            lockFully(address, length);
            proof.check(MLOCK, address, length);
        }
    }

    /** Without the proof: what the kernel flags as locked is not droppable, and it would look at the same flag. */
    @Override
    public void lockAgain(long address, long length) {
        lockFully(address, length);
        if (length == pageSize()) {
            anonymousPages.locked(address);
        }
    }

    private void lockFully(long address, long length) {
        memory.beforeLock(address, length);
        filePages.readInAll(address, length);
        check(MLOCK, calls.mlock(address, length), address, length);
    }

    @Override
    public boolean staysInMemory(long address, long length) {
        return anonymousPages.contains(address);
    }

    /** Asks once more when no cause of a refusal is left to be found: other threads may have made room since. */
    private void check(String function, int result, long address, long length) {
        int last = result;
        for (int made = 1; last != 0; made++) {
            PageLockException refusal = refusal(function, address, length);
            if (refusal.reason() != Reason.UNKNOWN || made == MOST_CALLS) {
                throw refusal;
            }
            last = call(function, address, length);
        }
    }

    private PageLockException refusal(String function, long address, long length) {
        int errno = calls.errno();
        return function.equals(MUNLOCK)
                ? failure.ofUnlock(errno, address, length)
                : failure.ofLock(function, errno, address, length);
    }

    private int call(String function, long address, long length) {
        switch (function) {
            case MLOCK:
                return calls.mlock(address, length);
            case MLOCK2:
                return calls.mlock2(address, length, LinuxConstants.MLOCK_ONFAULT);
            default:
                return calls.munlock(address, length);
        }
    }

    @Override
    public long readIn(long address, long length) {
        memory.beforeReadIn(address, length);
        return filePages.readIn(address, length);
    }

    @Override
    public void unlock(long address, long length) {
        check(MUNLOCK, calls.munlock(address, length), address, length);
    }

    @Override
    public boolean pageIn(long address, long length) {
        return sideBySide.pageIn(address, length);
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        int flags = MemoryFlags.ofLockAll(scope, constants.mclCurrent, constants.mclFuture);
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
                && capabilities().contains(Capability.LOCK_ADDRESS_SPACE_ON_FAULT)
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
        int flags = MemoryFlags.ofSync(options, constants.msSync, constants.msAsync, constants.msInvalidate);
        if (calls.msync(address, length, flags) != 0) {
            int errno = calls.errno();
            throw failure.ofSync(errno, address, length);
        }
    }

    @Override
    public Tristate anyLocked(MemoryRange range) {
        return oracle.ask(range.address(), range.length());
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return proc.mappings(range.address(), range.end())
                .filter(all -> all.stream().allMatch(Mapping::isKnown))
                .map(all -> Mapping.rangeSet(all).intersect(RangeSet.of(range)).asList());
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        return pageStates.read(Collections.singletonList(range)).get(0);
    }

    @Override
    public List<PageStates> pageStates(List<MemoryRange> ranges) {
        return pageStates.read(ranges);
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
}
