// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.support.AbstractBackend;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.GuardCalls;
import io.pagelock.backend.support.MemoryFlags;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Host;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.RangeSet;
import io.pagelock.spi.Syncing;
import io.pagelock.spi.Unsigned;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Page locking on FreeBSD.
 *
 * <p>Sources: mlock(2), mlockall(2), msync(2), mincore(2), getrlimit(2), sysctl(3), aio_mlock(2) of FreeBSD 10 to 15; what
 * 15.1 was recorded to answer.
 */
final class FreeBsdBackend extends AbstractBackend
        implements AddressSpaceLocking, AsyncLocking, PageStateReading, Syncing {
    private final FreeBsdCalls calls;
    private final KernelState kernel;
    private final Mappings mappings;
    private final Residency residency;
    private final FreeBsdRemedies remedies;
    private final FreeBsdFailure failure;
    private final AioLocks aio;
    private final boolean tellsWired;

    private FreeBsdBackend(
            BackendInfo info,
            Set<Capability> capabilities,
            CLibrary library,
            FreeBsdCalls calls,
            KernelState kernel,
            Mappings mappings,
            Host host,
            LongSupplier clock) {
        super(info, capabilities, kernel.pageSize(), host.bits(), library);
        this.calls = calls;
        this.kernel = kernel;
        this.mappings = mappings;
        remedies = new FreeBsdRemedies(kernel);
        residency = new Residency(calls, kernel);
        failure = new FreeBsdFailure(kernel, mappings, residency, remedies);
        tellsWired = capabilities.contains(Capability.LOCKED_PAGES);
        aio = capabilities.contains(Capability.NATIVE_ASYNC)
                ? new AioLocks(
                        library.bind(MethodHandles.lookup(), AioCalls.class),
                        library,
                        AioLayout.of(host),
                        failure,
                        clock)
                : null;
    }

    /**
     * Opens the backend over a C library.
     *
     * @param library FreeBSD's, or one with the same symbols
     * @param host the system and the JVM
     */
    static FreeBsdBackend over(CLibrary library, Host host) {
        return over(library, host, System::nanoTime);
    }

    static FreeBsdBackend over(CLibrary library, Host host, LongSupplier clock) {
        FreeBsdCalls calls = FreeBsdCalls.bind(library);
        KernelState kernel = new KernelState(calls);
        Mappings mappings = new Mappings(calls, kernel.pageSize());
        Set<Capability> capabilities =
                EnumSet.of(Capability.LOCK_ADDRESS_SPACE, Capability.SYNC, Capability.RESIDENT_PAGES);
        List<String> notes = new ArrayList<>();
        notes.add("not run on FreeBSD yet; tested against a stand-in that gives the answers recorded on FreeBSD 15.1");
        if (AioLayout.of(host) == AioLayout.ILP32) {
            notes.add("the layout of struct aiocb is the compiler's for armv7 and not verified otherwise");
        }
        // Asked before the call itself: without the module, FreeBSD 10 answers aio_mlock with SIGSYS, which ends the
        // JVM.
        if (kernel.sysctl("kern.features.aio").orElse(0) != 0 && AioCalls.areIn(library)) {
            capabilities.add(Capability.NATIVE_ASYNC);
        } else {
            notes.add(
                    "the kernel has no AIO (kern.features.aio), so lockAsync uses threads; on FreeBSD 10, kldload aio");
        }
        if (kernel.hasWiredFlag() && mappings.read().isPresent()) {
            capabilities.add(Capability.LOCKED_PAGES);
            capabilities.add(Capability.LOCKED_BYTES);
        } else {
            notes.add("kern.proc.vmmap does not report which pages are locked (older than 12.3, or not readable), so"
                    + " locking pages that are already locked may fail near the limit");
        }
        BackendInfo info = new BackendInfo("freebsd", host.osName() + " " + host.osVersion(), host.arch(), notes);
        FreeBsdBackend backend = new FreeBsdBackend(info, capabilities, library, calls, kernel, mappings, host, clock);
        if (host.bits() == 64) {
            backend.addGuarding(
                    () -> new FreeBsdGuarding(library.bind(MethodHandles.lookup(), GuardCalls.class), backend));
        }
        return backend;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        if (calls.mlock(address, length) != 0) {
            throw failure.ofLock("mlock", calls.errno(), address, length);
        }
    }

    /** Holes, limits, pages without access or past the end of a file, and I/O errors were recorded (vm_map_wire of sys/vm/vm_map.c). */
    @Override
    public boolean failedLockLeavesNothing() {
        return true;
    }

    @Override
    public void unlock(long address, long length) {
        if (calls.munlock(address, length) != 0) {
            throw failure.ofUnlock(calls.errno(), address, length);
        }
    }

    @Override
    public AsyncCall lockAsync(long address, long length, Consumer<PageLockException> done) {
        return aio.lock(address, length, done);
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        boolean current = scope.includesCurrent();
        int flags = MemoryFlags.ofLockAll(scope, FreeBsdConstants.MCL_CURRENT, FreeBsdConstants.MCL_FUTURE);
        if (calls.mlockall(flags) != 0) {
            throw failure.ofLockAll(calls.errno(), current);
        }
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        if (calls.munlockall() != 0) {
            throw failure.ofUnlockAll(calls.errno());
        }
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        boolean invalidate = options.contains(SyncOption.INVALIDATE);
        // The kernel refuses MS_ASYNC with MS_INVALIDATE; to write at once and then invalidate is what it comes to.
        int async = invalidate ? FreeBsdConstants.MS_SYNC : FreeBsdConstants.MS_ASYNC;
        int flags = MemoryFlags.ofSync(options, FreeBsdConstants.MS_SYNC, async, FreeBsdConstants.MS_INVALIDATE);
        if (calls.msync(address, length, flags) != 0) {
            throw failure.ofSync(calls.errno(), address, length);
        }
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        long pageSize = pageSize();
        PageStates.Builder states = PageStates.unknown(range, pageSize);
        Optional<List<MapEntry>> entries = mappings.of(range);
        if (!entries.isPresent()) {
            resident(states, range, range.address(), range.end(), false);
            return states.build();
        }
        int pages = (int) (range.length() / pageSize);
        for (int page = 0; page < pages; page++) {
            states.locked(page, Tristate.NO).resident(page, Tristate.NO);
        }
        for (MapEntry entry : entries.get()) {
            long from = Unsigned.max(range.address(), entry.start);
            long to = Unsigned.min(range.end(), entry.end);
            Tristate locked = tellsWired ? Tristate.of(entry.isUserWired()) : Tristate.UNKNOWN;
            // What is wired stays in memory, but for pages that a file or shared memory has lost since, while the
            // mapping stays
            // wired: only those that are still there are locked.
            boolean mayBeLost = entry.isFile() || entry.isSharedMemory();
            boolean isSure = locked == Tristate.YES && !mayBeLost;
            for (long at = from; at != to; at += pageSize) {
                int page = (int) ((at - range.address()) / pageSize);
                states.locked(page, locked).resident(page, isSure ? Tristate.YES : Tristate.UNKNOWN);
            }
            if (!isSure) {
                resident(states, range, from, to, locked == Tristate.YES);
            }
        }
        return states.build();
    }

    /** @param isWired whether those in memory are the locked ones */
    private void resident(PageStates.Builder states, MemoryRange range, long start, long end, boolean isWired) {
        residency.states(start, end, (address, resident) -> {
            int page = (int) ((address - range.address()) / pageSize());
            states.resident(page, resident);
            if (isWired) {
                states.locked(page, resident);
            }
        });
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return mappings.of(range)
                .map(entries ->
                        Mappings.rangeSet(entries).intersect(RangeSet.of(range)).asList());
    }

    @Override
    public LockLimits limits() {
        Optional<List<MapEntry>> entries = tellsWired ? mappings.wired() : Optional.empty();
        OptionalLong wired =
                entries.isPresent() ? OptionalLong.of(Mappings.bytes(entries.get())) : OptionalLong.empty();
        Tristate mayLock = kernel.mayLock();
        LimitValue[] memlock = kernel.memlock();
        LimitValue maximum = kernel.maximum();
        // Where there is a limit, it is not the locked mappings that it counts.
        OptionalLong charged =
                memlock[0].isUnlimited() || !entries.isPresent() ? wired : residency.inPageTable(entries.get());
        LockLimits.Builder limits = LockLimits.builder()
                .limit(LockLimit.builder("RLIMIT_MEMLOCK", LockLimit.Scope.PROCESS)
                        .soft(memlock[0])
                        .hard(memlock[1])
                        .used(charged)
                        .build())
                .limit(LockLimit.builder(kernel.maximumName(), LockLimit.Scope.SYSTEM)
                        .soft(maximum)
                        .used(kernel.wiredByAll())
                        .build())
                .lockedBytes(wired)
                .privilege("PRIV_VM_MLOCK", mayLock)
                .permitted(mayLock);
        if (kernel.hasResourceControl()) {
            // Whether there is a rule, only root may ask: rctl_get_limits(2).
            limits.limit(LockLimit.builder("rule of rctl(8) for memorylocked", LockLimit.Scope.PROCESS)
                    .build());
        }
        return limits.build();
    }

    @Override
    public OptionalLong addressSpaceBytes() {
        Optional<List<MapEntry>> entries = mappings.all();
        return entries.isPresent() ? OptionalLong.of(Mappings.bytes(entries.get())) : OptionalLong.empty();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return remedies.of(reason, bytes);
    }
}
