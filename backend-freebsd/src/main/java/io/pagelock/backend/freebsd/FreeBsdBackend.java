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
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.MemoryFlags;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.Host;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.Syncing;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/**
 * Page locking on FreeBSD.
 *
 * <p>Sources: mlock(2), mlockall(2), msync(2), mincore(2), getrlimit(2), sysctl(3), aio_mlock(2) of FreeBSD 10 to 15; what
 * 15.1 was recorded to answer.
 */
final class FreeBsdBackend implements Backend, AddressSpaceLocking, AsyncLocking, PageStateReading, Syncing {
    /** How many pages to ask mincore for in one call: so few that the map seldom changes meanwhile. */
    private static final int MINCORE_PAGES = 256;
    /** How often to ask it for pages that it does not report. */
    private static final int MINCORE_CALLS = 3;

    private final FreeBsdCalls calls;
    private final KernelState kernel;
    private final FreeBsdRemedies remedies;
    private final FreeBsdFailure failure;
    private final AioLocks aio;
    private final ToLongFunction<ByteBuffer> addresses;
    private final boolean tellsWired;
    private final int addressBits;
    private final BackendInfo info;

    private FreeBsdBackend(FreeBsdCalls calls, AioCalls aioCalls, ToLongFunction<ByteBuffer> addresses, Host host) {
        this.addresses = addresses;
        this.calls = calls;
        kernel = new KernelState(calls);
        remedies = new FreeBsdRemedies(kernel);
        failure = new FreeBsdFailure(kernel, remedies);
        tellsWired = kernel.tellsWired();
        addressBits = host.bits();
        AioLayout layout = AioLayout.of(host);
        aio = aioCalls == null ? null : new AioLocks(aioCalls, layout, failure);
        info = new BackendInfo("freebsd", host.osName() + " " + host.osVersion(), host.arch(), notes(layout));
    }

    /**
     * Opens the backend over a C library.
     *
     * @param library FreeBSD's, or one with the same symbols
     * @param host the system and the JVM
     */
    static FreeBsdBackend over(CLibrary library, Host host) {
        FreeBsdCalls calls = FreeBsdCalls.bind(library);
        // Asked before the call itself: without the module, FreeBSD 10 answers aio_mlock with SIGSYS, which ends the
        // JVM.
        boolean hasAio = new KernelState(calls).sysctl("kern.features.aio").orElse(0) != 0 && AioCalls.areIn(library);
        return new FreeBsdBackend(calls, hasAio ? library.bind(AioCalls.class) : null, library::address, host);
    }

    private List<String> notes(AioLayout layout) {
        List<String> notes = new ArrayList<>();
        notes.add("not run on FreeBSD yet; tested against a stand-in that answers as FreeBSD 15.1 was recorded to");
        if (layout == AioLayout.ILP32) {
            notes.add("the layout of struct aiocb is the compiler's for armv7 and not verified otherwise");
        }
        if (aio == null) {
            notes.add(
                    "the kernel has no AIO (kern.features.aio), so lockAsync uses threads; on FreeBSD 10, kldload aio");
        }
        if (!tellsWired) {
            notes.add(
                    "kern.proc.vmmap does not tell which pages are locked (older than 12.3, or not readable), so a lock of"
                            + " pages that are locked already may fail near the limit");
        }
        return notes;
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public long pageSize() {
        return kernel.pageSize();
    }

    @Override
    public int addressBits() {
        return addressBits;
    }

    @Override
    public Set<Capability> capabilities() {
        Set<Capability> capabilities =
                EnumSet.of(Capability.LOCK_ADDRESS_SPACE, Capability.SYNC, Capability.RESIDENT_PAGES);
        if (tellsWired) {
            capabilities.add(Capability.LOCKED_PAGES);
            capabilities.add(Capability.LOCKED_BYTES);
        }
        if (aio != null) {
            capabilities.add(Capability.NATIVE_ASYNC);
        }
        return capabilities;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        if (calls.mlock(address, length) != 0) {
            throw failure.ofLock("mlock", calls.errno(), address, length);
        }
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
        long pageSize = kernel.pageSize();
        PageStates.Builder states = PageStates.unknown(range, pageSize);
        Optional<List<MapEntry>> entries = kernel.mappings(range.address(), range.end());
        if (!entries.isPresent()) {
            resident(states, range, range.address(), range.end());
            return states.build();
        }
        int pages = (int) (range.length() / pageSize);
        for (int page = 0; page < pages; page++) {
            states.locked(page, Tristate.NO).resident(page, Tristate.NO);
        }
        for (MapEntry entry : entries.get()) {
            long from = Trouble.max(range.address(), entry.start);
            long to = Trouble.less(range.end(), entry.end) ? range.end() : entry.end;
            Tristate locked = tellsWired ? Tristate.of(entry.isUserWired()) : Tristate.UNKNOWN;
            // What is wired is in memory, but for pages that a file has lost since.
            long sure = locked == Tristate.YES ? entry.endOfFile(pageSize) : from;
            sure = Trouble.less(to, sure) ? to : Trouble.max(from, sure);
            for (long at = from; at != to; at += pageSize) {
                int page = (int) ((at - range.address()) / pageSize);
                states.locked(page, locked).resident(page, Trouble.less(at, sure) ? Tristate.YES : Tristate.UNKNOWN);
            }
            resident(states, range, sure, to);
        }
        return states.build();
    }

    private void resident(PageStates.Builder states, MemoryRange range, long start, long end) {
        long pageSize = kernel.pageSize();
        boolean looksBeyond = start != end && kernel.mincoreLooksBeyond();
        for (long from = start; from != end; ) {
            int pages = (int) Math.min((end - from) / pageSize, MINCORE_PAGES);
            resident(states, (int) ((from - range.address()) / pageSize), from, pages, looksBeyond);
            from += pages * pageSize;
        }
    }

    /**
     * Asks mincore. It gives the map's lock up for each page, and if another thread has changed the map then, it zeroes what it
     * has told already, or fails (sys/vm/vm_mmap.c, kern_mincore). So a page that it reports once is resident, and one that it
     * does not is absent only if all answers are the same, and not if it knows no more than the page table.
     */
    private void resident(PageStates.Builder states, int first, long from, int pages, boolean looksBeyond) {
        BitSet resident = new BitSet(pages);
        BitSet before = null;
        boolean same = looksBeyond;
        for (int call = 0; call < MINCORE_CALLS && resident.cardinality() < pages; call++) {
            byte[] vec = new byte[pages];
            BitSet told = new BitSet(pages);
            if (calls.mincore(from, pages * kernel.pageSize(), vec) != 0) {
                // Also where there is a hole, perhaps since we looked.
                same = false;
                continue;
            }
            for (int i = 0; i < pages; i++) {
                told.set(i, (vec[i] & FreeBsdConstants.MINCORE_INCORE) != 0);
            }
            same &= before == null || told.equals(before);
            before = told;
            resident.or(told);
        }
        for (int i = 0; i < pages; i++) {
            states.resident(first + i, resident.get(i) ? Tristate.YES : same ? Tristate.NO : Tristate.UNKNOWN);
        }
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return kernel.mappings(range.address(), range.end()).map(entries -> {
            List<MemoryRange> parts = new ArrayList<>();
            for (MapEntry entry : entries) {
                long from = Trouble.max(range.address(), entry.start);
                long to = Trouble.less(range.end(), entry.end) ? range.end() : entry.end;
                MemoryRange last = parts.isEmpty() ? null : parts.get(parts.size() - 1);
                if (last != null && last.end() == from) {
                    parts.set(parts.size() - 1, MemoryRange.of(last.address(), to - last.address()));
                } else {
                    parts.add(MemoryRange.of(from, to - from));
                }
            }
            return parts;
        });
    }

    @Override
    public LockLimits limits() {
        OptionalLong wired = tellsWired ? kernel.wired() : OptionalLong.empty();
        Tristate mayLock = kernel.mayLock();
        LimitValue[] memlock = kernel.memlock();
        LimitValue maximum = kernel.maximum();
        List<LockLimit> all = new ArrayList<>();
        if (mayLock == Tristate.NO) {
            // As a limit of nothing, since that is what the process meets.
            boolean jail = kernel.isJailed() && !kernel.jailMayLock();
            all.add(new LockLimit(
                    jail ? "allow.mlock" : "security.bsd.unprivileged_mlock",
                    jail ? LockLimit.Scope.CONTAINER : LockLimit.Scope.USER,
                    LimitValue.ofBytes(0),
                    LimitValue.ofBytes(0),
                    OptionalLong.of(wired.orElse(0)),
                    true));
        }
        all.add(new LockLimit("RLIMIT_MEMLOCK", LockLimit.Scope.PROCESS, memlock[0], memlock[1], wired, false));
        all.add(new LockLimit(
                kernel.maximumName(), LockLimit.Scope.SYSTEM, maximum, maximum, kernel.wiredByAll(), false));
        return new LockLimits(all, wired, "PRIV_VM_MLOCK", mayLock);
    }

    @Override
    public OptionalLong addressSpaceBytes() {
        Optional<List<MapEntry>> entries = kernel.mappings();
        if (!entries.isPresent()) {
            return OptionalLong.empty();
        }
        long bytes = 0;
        for (MapEntry entry : entries.get()) {
            bytes += entry.end - entry.start;
        }
        return OptionalLong.of(bytes);
    }

    @Override
    public String remedy(Reason reason, long bytes) {
        return remedies.of(reason, bytes);
    }

    @Override
    public long address(ByteBuffer buffer) {
        return addresses.applyAsLong(buffer);
    }
}
