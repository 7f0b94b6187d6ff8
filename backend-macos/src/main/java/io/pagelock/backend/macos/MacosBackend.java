// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static io.pagelock.backend.macos.MacosConstants.MINCORE_INCORE;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.support.AbstractBackend;
import io.pagelock.backend.support.MemoryFlags;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.spi.Host;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.Syncing;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * macOS: mlock(2), munlock(2), msync(2), mincore(2), and mach_vm_region, which says what is mapped and how often it is wired.
 *
 * <p>The kernel counts locks (BUGS in mlock(2)), so each unlock here takes as many calls as there are. It has no mlockall.
 */
final class MacosBackend extends AbstractBackend implements PageStateReading, Syncing {
    private static final List<String> NOTES = Collections.unmodifiableList(Arrays.asList(
            "written from Apple's xnu sources and manual pages; nothing was run on macOS",
            "mlockall fails with ENOSYS on every macOS, so the address space cannot be locked"));

    private final MacosCalls calls;
    private final Regions regions;
    private final WireLimits limits;
    private final MacosFailure failure;

    MacosBackend(MacosCalls calls, NativeAccess addresses, Host host) {
        this(calls, new Regions(calls), addresses, host);
    }

    private MacosBackend(MacosCalls calls, Regions regions, NativeAccess addresses, Host host) {
        super(
                new BackendInfo("macos", host.osName() + " " + host.osVersion(), host.arch(), NOTES),
                regions.answer()
                        ? EnumSet.of(
                                Capability.SYNC,
                                Capability.RESIDENT_PAGES,
                                Capability.LOCKED_PAGES,
                                Capability.LOCKED_BYTES)
                        : EnumSet.of(Capability.SYNC, Capability.RESIDENT_PAGES),
                calls.getpagesize(),
                host.bits(),
                addresses);
        this.calls = calls;
        this.regions = regions;
        limits = new WireLimits(calls);
        failure = new MacosFailure(regions, limits);
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        if (calls.mlock(address, length) != 0) {
            throw failure.ofLock(calls.errno(), address, length);
        }
        Optional<List<Regions.Region>> mapped = regions.of(address, address + length);
        if (mapped.isPresent()) {
            // The kernel does not look for a hole after pages that were wired before (vm_map_wire_nested).
            Optional<MemoryRange> hole = Regions.rangeSet(mapped.get()).firstGap(MemoryRange.of(address, length));
            if (hole.isPresent()) {
                throw failure.ofHole(hole.get());
            }
            // One wiring is enough, and the kernel refuses the 65,536th.
            mapped.get().forEach(each -> {
                if (each.wirings > 1) {
                    calls.munlock(each.start, each.end - each.start);
                }
            });
        }
    }

    /**
     * Unlocks region by region: munlock over a hole succeeds, and leaves the region before it as it is
     * (vm_map_unwire_nested).
     */
    @Override
    public void unlock(long address, long length) {
        Optional<List<Regions.Region>> mapped = regions.of(address, address + length);
        if (!mapped.isPresent()) {
            unlockOnce(address, length);
            return;
        }
        for (Regions.Region each : mapped.get()) {
            for (int i = 0; i < each.wirings; i++) {
                unlockOnce(each.start, each.end - each.start);
            }
        }
        Regions.rangeSet(mapped.get()).firstGap(MemoryRange.of(address, length)).ifPresent(hole -> {
            throw failure.ofHole(hole);
        });
    }

    private void unlockOnce(long address, long length) {
        if (calls.munlock(address, length) != 0) {
            throw failure.ofUnlock(calls.errno(), address, length);
        }
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        boolean invalidate = options.contains(SyncOption.INVALIDATE);
        if (invalidate && anyLocked(MemoryRange.of(address, length)) == Tristate.YES) {
            throw failure.ofInvalidation();
        }
        // The page does not permit MS_ASYNC with another flag; to write at once and then invalidate is what it comes
        // to.
        int async = invalidate ? MacosConstants.MS_SYNC : MacosConstants.MS_ASYNC;
        int flags = MemoryFlags.ofSync(options, MacosConstants.MS_SYNC, async, MacosConstants.MS_INVALIDATE);
        if (calls.msync(address, length, flags) != 0) {
            throw failure.ofSync(calls.errno(), address, length);
        }
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        PageStates.Builder states = PageStates.unknown(range, pageSize());
        Optional<List<Regions.Region>> mapped = regions.of(range.address(), range.end());
        // mincore says of an unmapped page what it says of one that is not in memory, and does not fail.
        byte[] inCore = new byte[(int) (range.length() / pageSize())];
        boolean isKnown = calls.mincore(range.address(), range.length(), inCore) == 0;
        for (int page = 0; page < inCore.length; page++) {
            if (mapped.isPresent()) {
                states.locked(page, Tristate.NO);
            }
            if (isKnown) {
                states.resident(page, Tristate.of((inCore[page] & MINCORE_INCORE) != 0));
            }
        }
        mapped.ifPresent(all -> all.forEach(each -> {
            for (long at = each.start; each.wirings > 0 && at != each.end; at += pageSize()) {
                states.locked((int) ((at - range.address()) / pageSize()), Tristate.YES);
            }
        }));
        return states.build();
    }

    @Override
    public Tristate anyLocked(MemoryRange range) {
        return regions.of(range.address(), range.end())
                .map(all -> Tristate.of(all.stream().anyMatch(each -> each.wirings > 0)))
                .orElse(Tristate.UNKNOWN);
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return regions.of(range.address(), range.end())
                .map(all -> Regions.rangeSet(all).asList());
    }

    @Override
    public LockLimits limits() {
        OptionalLong locked = regions.lockedBytes();
        LimitValue[] memlock = limits.memlock();
        return LockLimits.builder()
                .limit(LockLimit.builder("RLIMIT_MEMLOCK", LockLimit.Scope.PROCESS)
                        .soft(memlock[0])
                        .hard(memlock[1])
                        .used(locked)
                        .build())
                .limit(LockLimit.builder("vm.user_wire_limit", LockLimit.Scope.PROCESS)
                        .soft(limits.perProcess())
                        .used(locked)
                        .build())
                .limit(LockLimit.builder("vm.global_user_wire_limit", LockLimit.Scope.SYSTEM)
                        .soft(limits.global())
                        .used(limits.wiredByAll())
                        .build())
                .lockedBytes(locked)
                .permitted(Tristate.YES)
                .build();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return MacosFailure.remedies(reason, bytes);
    }
}
