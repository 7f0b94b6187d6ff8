// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.ByteSize;
import io.pagelock.Capability;
import io.pagelock.Forecast;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.LockPolicy;
import io.pagelock.LockReport;
import io.pagelock.MemoryLock;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.Statistics;
import io.pagelock.SyncOption;
import io.pagelock.spi.Backend;
import io.pagelock.spi.DaemonThread;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.RangeSet;
import io.pagelock.spi.Syncing;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;

/** The {@link PageLocker} over a {@link Backend}: checks and rounds what callers give, and explains failures. */
public final class Engine implements PageLocker {
    private static final int LOOKS_AT_ONCE = 4096;

    private final Backend backend;
    private final Arguments arguments;
    private final PageStateReading states;
    private final RangeLocks ranges;
    private final AddressSpace addressSpace;
    private final Forecasts forecasts;
    private final Reaper reaper;
    private final AsyncLocks asyncLocks;
    private final AtomicLongArray failures = new AtomicLongArray(Reason.values().length);
    private final AtomicLong longestLock = new AtomicLong();
    private final FlightEvents flight = new FlightEvents(FlightEvents.Kind.LOCK);
    private final Leaks leaks = Leaks.configured();
    /** Only written: what is about to be written must still be reachable. */
    private final AtomicReference<Object> reachable = new AtomicReference<>();

    /** Run once, after the first lock. */
    private final AtomicReference<Runnable> atFirstLock = new AtomicReference<>();

    /**
     * Makes an engine.
     *
     * @param backend what calls the system
     * @throws IllegalArgumentException if the backend's page size or address width makes no sense
     */
    public Engine(Backend backend) {
        this.backend = backend;
        arguments = new Arguments(backend);
        Abilities.check(backend);
        states = Abilities.pageStates(backend);
        ranges = new RangeLocks(backend);
        addressSpace = new AddressSpace(backend, ranges);
        forecasts = new Forecasts(backend);
        reaper = new Reaper(ranges, leaks);
        asyncLocks = new AsyncLocks(this, backend, ranges);
    }

    /** Leaves locked what other code of this process keeps locked until it ends. */
    void assume(OutsideLock outside) {
        addressSpace.assume(outside);
    }

    @Override
    public PageLock lock(ByteBuffer buffer, LockOption... options) {
        return acquire(handle(buffer, arguments.isOnFault(options)), Progress.UNWATCHED);
    }

    @Override
    public PageLock lock(MemoryRange range, LockOption... options) {
        return acquire(handle(range, arguments.isOnFault(options)), Progress.UNWATCHED);
    }

    @Override
    public PageLock lock(Collection<MemoryRange> ranges, LockOption... options) {
        return acquire(handle(ranges, arguments.isOnFault(options)), Progress.UNWATCHED);
    }

    @Override
    public PendingLock lockAsync(ByteBuffer buffer, LockOption... options) {
        return asyncLocks.start(handle(buffer, arguments.isOnFault(options)), null);
    }

    @Override
    public PendingLock lockAsync(MemoryRange range, LockOption... options) {
        return asyncLocks.start(handle(range, arguments.isOnFault(options)), null);
    }

    @Override
    public PendingLock lockAsync(Collection<MemoryRange> ranges, LockOption... options) {
        return asyncLocks.start(handle(ranges, arguments.isOnFault(options)), null);
    }

    @Override
    public PendingLock lockAsync(ByteBuffer buffer, Executor executor, LockOption... options) {
        Objects.requireNonNull(executor, "executor");
        return asyncLocks.start(handle(buffer, arguments.isOnFault(options)), executor);
    }

    @Override
    public PendingLock lockAsync(MemoryRange range, Executor executor, LockOption... options) {
        Objects.requireNonNull(executor, "executor");
        return asyncLocks.start(handle(range, arguments.isOnFault(options)), executor);
    }

    @Override
    public PendingLock lockAsync(Collection<MemoryRange> ranges, Executor executor, LockOption... options) {
        Objects.requireNonNull(executor, "executor");
        return asyncLocks.start(handle(ranges, arguments.isOnFault(options)), executor);
    }

    Handle handle(ByteBuffer buffer, boolean onFault) {
        return handle(arguments.rangeUnder(buffer), buffer, onFault);
    }

    Handle handle(MemoryRange range, boolean onFault) {
        Object owner = Objects.requireNonNull(range, "range").owner().orElse(null);
        MemoryScopes.check(owner);
        return handle(range.withoutOwner(), owner, onFault);
    }

    private Handle handle(MemoryRange range, Object owner, boolean onFault) {
        long start = arguments.alignedStart(range);
        Handle handle = new Handle(this, range);
        return handle.stand(new Hold(handle, reaper.queue(), start, arguments.alignedEnd(range), onFault), owner);
    }

    Handle handle(Collection<MemoryRange> asked, boolean onFault) {
        List<MemoryRange> all = Arguments.copyOf(asked);
        List<Object> owners = new ArrayList<>();
        checkScopes(all);
        all.forEach(range -> range.owner().ifPresent(owners::add));
        all.replaceAll(MemoryRange::withoutOwner);
        all.sort(Comparator.comparingLong(range -> range.address() ^ Long.MIN_VALUE));
        Handle handle = new Handle(this, Collections.unmodifiableList(all));
        return handle.stand(new Hold(handle, reaper.queue(), arguments.bounds(all), onFault), owners);
    }

    private static void checkScopes(List<MemoryRange> ranges) {
        ranges.forEach(range -> MemoryScopes.check(range.owner().orElse(null)));
    }

    /** Locks what the handle stands for, in this thread, unless that would keep a carrier of virtual threads for long. */
    Handle acquire(Handle handle, Progress progress) {
        long begin = System.nanoTime();
        if (progress == Progress.UNWATCHED) {
            // Not asynchronous: then the caller's thread has recorded it.
            handle.record(leaks, begin);
        }
        if (Steps.isLarge(handle.hold().bytes()) && VirtualThreads.isCurrent()) {
            return asyncLocks.lockElsewhere(handle, progress);
        }
        Object event = flight.begin();
        try {
            ranges.acquire(handle.hold(), progress);
        } catch (PageLockException e) {
            throw failed(e, handle, begin, event);
        } catch (RuntimeException | Error e) {
            watchLeftovers();
            throw e;
        }
        return locked(handle, begin, event);
    }

    /** Locks what has begun. */
    Handle carryOut(Handle handle) {
        Object event = flight.begin();
        long begin = System.nanoTime();
        try {
            ranges.carryOut(handle.hold());
        } catch (PageLockException e) {
            throw failed(e, handle, begin, event);
        } catch (RuntimeException | Error e) {
            watchLeftovers();
            throw e;
        }
        return locked(handle, begin, event);
    }

    /** Ends a lock that the system carried out by itself. */
    Handle conclude(Handle handle, PageLockException refusal, long begin, Object event) {
        try {
            ranges.conclude(handle.hold(), refusal);
        } catch (PageLockException e) {
            throw failed(e, handle, begin, event);
        } catch (RuntimeException | Error e) {
            watchLeftovers();
            throw e;
        }
        return locked(handle, begin, event);
    }

    PendingLock start(Handle handle, Executor executor, Pending pending) {
        return asyncLocks.start(handle, executor, pending);
    }

    /** Records where an asynchronous lock is asked for. */
    void record(Handle handle) {
        handle.record(leaks, System.nanoTime());
    }

    /** Describes the last handles that were dropped without close. */
    List<String> recentLeaks() {
        return leaks.recent();
    }

    Object beginEvent() {
        return flight.begin();
    }

    private Handle locked(Handle handle, long begin, Object event) {
        took(System.nanoTime() - begin);
        if (event != null) {
            flight.end(event, handle.bytes(), "locked");
        }
        reaper.watch();
        if (atFirstLock.get() != null) {
            Runnable first = atFirstLock.getAndSet(null);
            if (first != null) {
                try {
                    DaemonThread.of("pagelock-jmx", first).start();
                } catch (RuntimeException | Error e) {
                    // The lock matters, this does not.
                    return handle;
                }
            }
        }
        return handle;
    }

    /** Takes back a lock that has begun and that the system never saw. */
    void fail(Handle handle, Throwable failure) {
        ranges.fail(handle.hold(), failure);
        watchLeftovers();
    }

    /** A failed lock may be the first one, and leave what cannot be unlocked yet. */
    private void watchLeftovers() {
        if (ranges.needsLookAgain()) {
            reaper.watch();
        }
    }

    private PageLockException failed(PageLockException e, Handle handle, long begin, Object event) {
        took(System.nanoTime() - begin);
        if (event != null) {
            flight.end(event, handle.bytes(), e.reason().toString());
        }
        watchLeftovers();
        return explainLock(e.reason() == Reason.OVER_LIMIT ? forAllOf(handle, e) : e, handle);
    }

    /**
     * The numbers of a limit for a lock that takes several calls: the refusal tells those of one call, and counts as locked
     * what the calls before it had locked, which is undone by now.
     */
    private PageLockException forAllOf(Handle handle, PageLockException e) {
        long[] parts = arguments.bounds(handle.ranges());
        if (parts.length == 2 && !Steps.isLarge(parts[1] - parts[0])) {
            return e;
        }
        long asked = 0;
        for (int i = 0; i < parts.length; i += 2) {
            asked += parts[i + 1] - parts[i];
        }
        OptionalLong locked = backend.limits().lockedBytes();
        long needed = asked + locked.orElse(0);
        return e.toBuilder()
                .detail("asked for " + ByteSize.format(asked) + " in all"
                        + (locked.isPresent() ? ", " + ByteSize.format(locked.getAsLong()) + " were locked before" : "")
                        + "; refused at one part: " + e.detail())
                .remedies(backend.remedies(Reason.OVER_LIMIT, needed < 0 ? Long.MAX_VALUE : needed))
                .build();
    }

    /** Has something done by a thread after the first lock. Nobody sees its failure: a JVM may lack what it takes, such as JMX. */
    Engine atFirstLock(Runnable action) {
        atFirstLock.set(action);
        return this;
    }

    PageLockException explainLock(PageLockException e, Handle handle) {
        return explain(e, "lock", handle.ranges().size() == 1 ? handle.ranges().get(0) : null);
    }

    private void took(long nanos) {
        long longest = longestLock.get();
        while (nanos > longest && !longestLock.compareAndSet(longest, nanos)) {
            longest = longestLock.get();
        }
    }

    void close(Handle handle, Hold hold) {
        try {
            ranges.release(hold);
            handle.letGo();
        } catch (PageLockException e) {
            throw explain(e, "unlock", null);
        } finally {
            keepReachable(handle);
            addressSpace.sweep();
        }
    }

    /** Unlocks what nobody wants and nobody can close; what the system refuses to unlock is tried again later. */
    void giveBack(Handle handle) {
        try {
            if (!ranges.reap(handle.hold())) {
                ranges.orphan(handle.hold());
            }
        } finally {
            keepReachable(handle);
        }
    }

    boolean isValid(Hold hold) {
        return ranges.isValid(hold);
    }

    @Override
    public AddressSpaceLock lockAddressSpace(AddressSpaceScope scope, LockOption... options) {
        Objects.requireNonNull(scope, "scope");
        Set<LockOption> set = arguments.addressSpaceOptions(options);
        try {
            // Made first: without memory for it, nothing is locked.
            ExplainedLock explained = new ExplainedLock(this);
            explained.lock = addressSpace.lock(scope, set);
            return explained;
        } catch (PageLockException e) {
            throw explain(e, "lock the address space", null);
        }
    }

    @Override
    public void sync(ByteBuffer buffer, SyncOption... options) {
        sync(rangeOf(buffer), options);
    }

    @Override
    public void sync(MemoryRange range, SyncOption... options) {
        sync(Collections.singletonList(Objects.requireNonNull(range, "range")), options);
    }

    @Override
    public void sync(Collection<MemoryRange> ranges, SyncOption... options) {
        Set<SyncOption> set = Arguments.setOf(SyncOption.class, options);
        List<MemoryRange> all = Arguments.copyOf(ranges);
        arguments.require(Capability.SYNC, "sync");
        checkScopes(all);
        Syncing syncing = Abilities.of(backend, Syncing.class);
        long[] bounds = arguments.bounds(all);
        try {
            for (int i = 0; i < bounds.length; i += 2) {
                syncing.sync(bounds[i], bounds[i + 1] - bounds[i], set);
            }
        } catch (PageLockException e) {
            throw explain(e, "sync", all.size() == 1 ? all.get(0) : null);
        } finally {
            keepReachable(all);
        }
    }

    @Override
    public PageStates pageStates(ByteBuffer buffer) {
        return pageStates(rangeOf(buffer));
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        long start = arguments.alignedStart(range);
        MemoryScopes.check(range.owner().orElse(null));
        PageStates answers = states.pageStates(MemoryRange.of(start, arguments.alignedEnd(range) - start));
        keepReachable(range);
        return answers;
    }

    @Override
    public List<PageStates> pageStates(Collection<MemoryRange> ranges) {
        List<MemoryRange> all = Arguments.copyOf(ranges);
        List<MemoryRange> aligned = new ArrayList<>(all.size());
        for (MemoryRange each : all) {
            long start = arguments.alignedStart(each);
            aligned.add(MemoryRange.of(start, arguments.alignedEnd(each) - start));
        }
        checkScopes(all);
        List<PageStates> answers = states.pageStates(aligned);
        keepReachable(all);
        return Collections.unmodifiableList(answers);
    }

    @Override
    public MemoryRange rangeOf(ByteBuffer buffer) {
        MemoryRange range = arguments.rangeUnder(buffer);
        return MemoryRange.of(range.address(), range.length(), buffer);
    }

    @Override
    public LockLimits limits() {
        return backend.limits();
    }

    @Override
    public Forecast forecast(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("forecast for " + bytes + " bytes; the number must be 0 or more");
        }
        return forecasts.ofRange(bytes);
    }

    @Override
    public Forecast forecastAddressSpace(AddressSpaceScope scope, LockOption... options) {
        Objects.requireNonNull(scope, "scope");
        arguments.addressSpaceOptions(options);
        return forecasts.ofAddressSpace(scope);
    }

    @Override
    public Set<Capability> capabilities() {
        return arguments.capabilities();
    }

    @Override
    public BackendInfo backendInfo() {
        return arguments.info();
    }

    @Override
    public long pageSize() {
        return arguments.pageSize();
    }

    @Override
    public Statistics statistics() {
        long heldBytes = ranges.heldBytes();
        Statistics.Builder all = Statistics.builder()
                .openHandles(ranges.openHolds())
                .lockedBytes(heldBytes)
                .lockedPages(heldBytes / arguments.pageSize())
                .systemLockedBytes(backend.limits().lockedBytes())
                .leakedHandles(leaks.count())
                .longestLockNanos(longestLock.get())
                .leftoverBytes(ranges.leftoverBytes());
        for (Reason reason : Reason.values()) {
            all.failures(reason, failures.get(reason.ordinal()));
        }
        return all.build();
    }

    @Override
    public LockReport report() {
        return report(LockPolicy.REQUIRED, Collections.emptyList());
    }

    /** Reports what is locked, what is lost, and what never was. */
    LockReport report(LockPolicy policy, Collection<MemoryLock> without) {
        return new Reporting(backend, ranges).report(policy, without);
    }

    /** Returns an optional ability of the backend. */
    public <A> Optional<A> ability(Class<A> type) {
        return backend.ability(type);
    }

    @Override
    public Optional<List<MemoryRange>> unmapped() {
        RangeSet held = held();
        RangeSet.Builder mapped = RangeSet.builder();
        // One question, since each may read all mappings; in halves, since a range has less than 2^63 bytes.
        for (int first = 0, next; first < held.size(); first = next) {
            next = first + 1;
            while (next < held.size() && held.end(next) - held.start(first) > 0) {
                next++;
            }
            long start = held.start(first);
            Optional<List<MemoryRange>> parts = states.mapped(MemoryRange.of(start, held.end(next - 1) - start));
            if (!parts.isPresent()) {
                return Optional.empty();
            }
            parts.get().forEach(mapped::add);
        }
        // What was closed meanwhile may have been unmapped rightly.
        return Optional.of(held.subtract(mapped.build()).intersect(held()).asList());
    }

    /** What open handles cover. */
    private RangeSet held() {
        LockTable table = ranges.table();
        Parts all = new Parts();
        long at = 0;
        // In turns with locks, which must not wait for a list of very many handles.
        do {
            synchronized (table) {
                at = table.held(all, at, LOOKS_AT_ONCE);
            }
        } while (at != 0);
        RangeSet.Builder held = RangeSet.builder();
        all.toRanges().forEach(held::add);
        return held.build();
    }

    PageLockException explain(PageLockException e, String action, MemoryRange asked) {
        failures.incrementAndGet(e.reason().ordinal());
        PageLockException.Builder builder =
                e.toBuilder().action(action).system(arguments.info().system());
        if (asked != null) {
            builder.range(asked);
        }
        PageLockException explained = builder.build();
        explained.setStackTrace(e.getStackTrace());
        for (Throwable suppressed : e.getSuppressed()) {
            explained.addSuppressed(suppressed);
        }
        return explained;
    }

    /**
     * Keeps an object reachable up to here; Reference.reachabilityFence came with Java 9. No reader, so the order of the
     * writes is enough, without the barrier of a volatile one.
     */
    private void keepReachable(Object object) {
        reachable.lazySet(object);
        reachable.lazySet(null);
    }
}
