// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Availability;
import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.Forecast;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.LockPolicy;
import io.pagelock.LockReport;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.Statistics;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Function;

/** A locker that only counts; a test makes it refuse, lie or know nothing. */
final class FakeLocker implements PageLocker, Lockers {
    static final long PAGE = 4096;

    final Set<Capability> capabilities = EnumSet.allOf(Capability.class);
    final List<MemoryRange> locked = new ArrayList<>();
    long limit = Long.MAX_VALUE;
    long most;
    int calls;
    int open;
    final Map<Reason, Long> failures = new EnumMap<>(Reason.class);
    boolean knowsLockedBytes = true;
    boolean countsNothing;
    boolean forecasts = true;
    Reason forecastReason = Reason.OVER_LIMIT;
    Function<MemoryRange, Tristate> resident = range -> Tristate.YES;
    Function<MemoryRange, Optional<Reason>> refusal = range -> Optional.empty();
    Reason unlockRefusal;
    Runnable beforeLock = () -> {};

    @Override
    public PageLocker locker() {
        return this;
    }

    @Override
    public LockReport report() {
        return new LockReport(
                LockPolicy.REQUIRED, lockedBytes(), OptionalLong.of(lockedBytes()), Tristate.YES, List.of());
    }

    @Override
    public Availability availability() {
        return new Availability(
                List.of(
                        new Availability.Candidate("fake", "chosen: by the test", true),
                        new Availability.Candidate("other", "os.name is Fake, not Other", false)),
                null,
                List.of(),
                null);
    }

    long lockedBytes() {
        return locked.stream().mapToLong(MemoryRange::length).sum();
    }

    private PageLock hold(List<MemoryRange> ranges, LockOption... options) {
        beforeLock.run();
        calls++;
        List<MemoryRange> pages = new ArrayList<>();
        for (MemoryRange range : ranges) {
            Optional<Reason> reason = refusal.apply(range);
            if (reason.isPresent()) {
                throw refuse(range, reason.get());
            }
            pages.add(range.alignedTo(PAGE));
        }
        long bytes = pages.stream().mapToLong(MemoryRange::length).sum();
        if (lockedBytes() + bytes > limit) {
            throw refuse(ranges.get(0), Reason.OVER_LIMIT);
        }
        locked.addAll(pages);
        most = Math.max(most, lockedBytes());
        open++;
        return new PageLock() {
            private boolean open = true;

            @Override
            public List<MemoryRange> ranges() {
                return ranges;
            }

            @Override
            public Set<LockOption> options() {
                return Set.of(options);
            }

            @Override
            public boolean isValid() {
                return open;
            }

            @Override
            public void close() {
                if (unlockRefusal != null) {
                    throw PageLockException.because(unlockRefusal)
                            .action("unlock")
                            .build();
                }
                if (open) {
                    pages.forEach(locked::remove);
                    FakeLocker.this.open--;
                }
                open = false;
            }
        };
    }

    private PageLockException refuse(MemoryRange range, Reason reason) {
        failures.merge(reason, 1L, Long::sum);
        return PageLockException.because(reason)
                .action("lock")
                .range(range)
                .detail("asked for " + range.length() + " bytes, limit " + limit)
                .call("mlock", 12, "ENOMEM")
                .system("Fake 1")
                .remedies("Raise the fake limit")
                .build();
    }

    @Override
    public PageLock lock(ByteBuffer buffer, LockOption... options) {
        return hold(List.of(rangeOf(buffer)), options);
    }

    @Override
    public PageLock lock(MemoryRange range, LockOption... options) {
        return hold(List.of(range), options);
    }

    @Override
    public PageLock lock(Collection<MemoryRange> ranges, LockOption... options) {
        return hold(List.copyOf(ranges), options);
    }

    @Override
    public PendingLock lockAsync(MemoryRange range, LockOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PendingLock lockAsync(ByteBuffer buffer, LockOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PendingLock lockAsync(Collection<MemoryRange> ranges, Executor executor, LockOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public AddressSpaceLock lockAddressSpace(AddressSpaceScope scope, LockOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void sync(MemoryRange range, SyncOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void sync(ByteBuffer buffer, SyncOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        MemoryRange aligned = range.alignedTo(PAGE);
        PageStates.Builder states = PageStates.unknown(aligned, PAGE);
        for (int page = 0; page < aligned.length() / PAGE; page++) {
            MemoryRange each = MemoryRange.of(aligned.address() + page * PAGE, PAGE);
            states.resident(page, resident.apply(each));
            if (capabilities.contains(Capability.LOCKED_PAGES)) {
                states.locked(
                        page, Tristate.of(!countsNothing && locked.stream().anyMatch(r -> r.contains(each))));
            }
        }
        return states.build();
    }

    @Override
    public PageStates pageStates(ByteBuffer buffer) {
        return pageStates(rangeOf(buffer));
    }

    @Override
    public PendingLock lockAsync(Collection<MemoryRange> ranges, LockOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PendingLock lockAsync(ByteBuffer buffer, Executor executor, LockOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PendingLock lockAsync(MemoryRange range, Executor executor, LockOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void sync(Collection<MemoryRange> ranges, SyncOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<PageStates> pageStates(Collection<MemoryRange> ranges) {
        return ranges.stream().map(this::pageStates).toList();
    }

    @Override
    public MemoryRange rangeOf(ByteBuffer buffer) {
        long base = Pointer.nativeValue(Native.getDirectBufferPointer(buffer));
        return MemoryRange.of(base + buffer.position(), buffer.remaining());
    }

    @Override
    public LockLimits limits() {
        OptionalLong used =
                knowsLockedBytes ? OptionalLong.of(countsNothing ? 0 : lockedBytes()) : OptionalLong.empty();
        LimitValue size = limit == Long.MAX_VALUE ? LimitValue.unlimited() : LimitValue.ofBytes(limit);
        return LockLimits.builder()
                .limit(LockLimit.builder("FAKE_LIMIT", LockLimit.Scope.USER)
                        .soft(size)
                        .used(used)
                        .liftedByPrivilege(true)
                        .build())
                .lockedBytes(used)
                .privilege("FAKE_PRIVILEGE", Tristate.NO)
                .permitted(Tristate.YES)
                .build();
    }

    @Override
    public Forecast forecast(long bytes) {
        return forecasts && bytes > limit - lockedBytes()
                ? new Forecast(
                        Tristate.NO, bytes, forecastReason, bytes + " of " + limit, List.of("Raise the fake limit"))
                : new Forecast(Tristate.YES, bytes, null, "fits", List.of());
    }

    @Override
    public Forecast forecastAddressSpace(AddressSpaceScope scope, LockOption... options) {
        if (!capabilities.contains(Capability.LOCK_ADDRESS_SPACE)) {
            throw new UnsupportedOperationException();
        }
        return forecast(123 * PAGE);
    }

    @Override
    public Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public BackendInfo backendInfo() {
        return new BackendInfo("fake", "Fake 1", "fake64", "none", List.of("a note"));
    }

    @Override
    public long pageSize() {
        return PAGE;
    }

    @Override
    public Optional<List<MemoryRange>> unmapped() {
        return Optional.empty();
    }

    @Override
    public Statistics statistics() {
        Statistics.Builder all = Statistics.builder()
                .openHandles(open)
                .lockedBytes(lockedBytes())
                .lockedPages(lockedBytes() / PAGE)
                .leakedHandles(2)
                .longestLockNanos(calls * 1_234_567L)
                .leftoverBytes(3 * PAGE);
        if (knowsLockedBytes) {
            all.systemLockedBytes(OptionalLong.of(countsNothing ? 0 : lockedBytes()));
        }
        failures.forEach(all::failures);
        return all.build();
    }
}
