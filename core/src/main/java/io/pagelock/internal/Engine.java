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
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.Syncing;
import io.pagelock.spi.Unsigned;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;

/** The {@link PageLocker} over a {@link Backend}: checks and rounds what callers give, and explains failures. */
public final class Engine implements PageLocker {
    private final Backend backend;
    private final BackendInfo info;
    private final Set<Capability> capabilities;
    private final long pageSize;
    private final int addressBits;
    private final PageStateReading states;
    private final RangeLocks ranges;
    private final AddressSpace addressSpace;
    private final Forecasts forecasts;
    private final Reaper reaper;
    private final AsyncLocks asyncLocks;
    private final AtomicLongArray failures = new AtomicLongArray(Reason.values().length);
    private final AtomicLong longestLock = new AtomicLong();
    private final FlightEvents flight = new FlightEvents();
    /** Only written: what is about to be written must still be reachable. */
    private final AtomicReference<Object> reachable = new AtomicReference<>();

    /** Run once, with the first lock. */
    private final AtomicReference<Runnable> atFirstLock = new AtomicReference<>();

    /**
     * Makes an engine.
     *
     * @param backend what calls the system
     * @throws IllegalArgumentException if the backend's page size or address width makes no sense
     */
    public Engine(Backend backend) {
        this.backend = backend;
        info = backend.info();
        pageSize = backend.pageSize();
        if (Long.bitCount(pageSize) != 1 || pageSize < 0) {
            throw new IllegalArgumentException(
                    info + " reports a page size of " + pageSize + " bytes; it must be a power of two");
        }
        addressBits = backend.addressBits();
        if (addressBits != 32 && addressBits != 64) {
            throw new IllegalArgumentException(
                    info + " reports addresses of " + addressBits + " bits; they have 32 or 64");
        }
        capabilities = backend.capabilities().isEmpty()
                ? Collections.emptySet()
                : Collections.unmodifiableSet(EnumSet.copyOf(backend.capabilities()));
        Abilities.check(backend);
        states = Abilities.pageStates(backend);
        ranges = new RangeLocks(backend);
        addressSpace = new AddressSpace(backend, ranges);
        forecasts = new Forecasts(backend);
        reaper = new Reaper(ranges);
        asyncLocks = new AsyncLocks(this, backend, ranges);
    }

    @Override
    public PageLock lock(ByteBuffer buffer, LockOption... options) {
        return acquire(handle(rangeUnder(buffer), buffer, isOnFault(options)), Progress.UNWATCHED);
    }

    @Override
    public PageLock lock(MemoryRange range, LockOption... options) {
        return acquire(handle(range, isOnFault(options)), Progress.UNWATCHED);
    }

    @Override
    public PageLock lock(Collection<MemoryRange> ranges, LockOption... options) {
        return acquire(handle(ranges, isOnFault(options)), Progress.UNWATCHED);
    }

    @Override
    public PendingLock lockAsync(MemoryRange range, LockOption... options) {
        return asyncLocks.start(handle(range, isOnFault(options)), null);
    }

    @Override
    public PendingLock lockAsync(ByteBuffer buffer, LockOption... options) {
        return asyncLocks.start(handle(rangeUnder(buffer), buffer, isOnFault(options)), null);
    }

    @Override
    public PendingLock lockAsync(Collection<MemoryRange> ranges, Executor executor, LockOption... options) {
        Objects.requireNonNull(executor, "executor");
        return asyncLocks.start(handle(ranges, isOnFault(options)), executor);
    }

    private Handle handle(MemoryRange range, boolean onFault) {
        Object owner = range.owner().orElse(null);
        MemoryScopes.check(owner);
        return handle(range.withoutOwner(), owner, onFault);
    }

    private Handle handle(MemoryRange range, Object owner, boolean onFault) {
        long start = alignedStart(range);
        Handle handle = new Handle(this, range);
        return handle.stand(new Hold(handle, reaper.queue(), start, alignedEnd(range), onFault), owner);
    }

    private Handle handle(Collection<MemoryRange> asked, boolean onFault) {
        List<MemoryRange> all = new ArrayList<>(asked.size());
        List<Object> owners = new ArrayList<>();
        for (MemoryRange range : asked) {
            all.add(range.withoutOwner());
            range.owner().ifPresent(owner -> {
                MemoryScopes.check(owner);
                owners.add(owner);
            });
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException("no range to lock; at least one is needed");
        }
        all.sort(Comparator.comparingLong(range -> range.address() ^ Long.MIN_VALUE));
        Handle handle = new Handle(this, Collections.unmodifiableList(all));
        return handle.stand(new Hold(handle, reaper.queue(), merged(all), onFault), owners);
    }

    /** The pages of sorted ranges, those that touch joined, as start and end in turn. */
    private long[] merged(List<MemoryRange> sorted) {
        long[] parts = new long[2 * sorted.size()];
        int used = 0;
        for (MemoryRange range : sorted) {
            long start = alignedStart(range);
            long end = alignedEnd(range);
            if (used > 0 && !Unsigned.less(parts[used - 1], start)) {
                parts[used - 1] = Unsigned.max(parts[used - 1], end);
                if (parts[used - 1] - parts[used - 2] < 0) {
                    throw new IllegalArgumentException("ranges that join to 2^63 bytes or more; lock them apart");
                }
            } else {
                parts[used++] = start;
                parts[used++] = end;
            }
        }
        return Arrays.copyOf(parts, used);
    }

    /** Locks what the handle stands for, in this thread, unless that would keep a carrier of virtual threads for long. */
    Handle acquire(Handle handle, Progress progress) {
        if (Steps.isLarge(handle.hold().bytes()) && VirtualThreads.isCurrent()) {
            return asyncLocks.lockElsewhere(handle, progress);
        }
        Object event = flight.begin();
        long begin = System.nanoTime();
        try {
            ranges.acquire(handle.hold(), progress);
        } catch (PageLockException e) {
            throw failed(e, handle, begin, event);
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
        }
        return locked(handle, begin, event);
    }

    /** Ends a lock that the system carried out by itself. */
    Handle conclude(Handle handle, PageLockException refusal, long begin, Object event) {
        try {
            ranges.conclude(handle.hold(), refusal);
        } catch (PageLockException e) {
            throw failed(e, handle, begin, event);
        }
        return locked(handle, begin, event);
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
                    first.run();
                } catch (RuntimeException | Error e) {
                    // The lock matters, this does not.
                    return handle;
                }
            }
        }
        return handle;
    }

    private PageLockException failed(PageLockException e, Handle handle, long begin, Object event) {
        took(System.nanoTime() - begin);
        if (event != null) {
            flight.end(event, handle.bytes(), e.reason().toString());
        }
        if (ranges.needsLookAgain()) {
            reaper.watch();
        }
        return explainLock(e.reason() == Reason.OVER_LIMIT ? forAllOf(handle, e) : e, handle);
    }

    /**
     * The numbers of a limit for a lock that takes several calls: the refusal tells those of one call, and counts as locked
     * what the calls before it had locked, which is undone by now.
     */
    private PageLockException forAllOf(Handle handle, PageLockException e) {
        long[] parts = merged(handle.ranges());
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
                .remedy(backend.remedy(Reason.OVER_LIMIT, needed < 0 ? Long.MAX_VALUE : needed))
                .build();
    }

    /** Has something done after the first lock, whose failure nobody sees: a JVM may lack what it takes, such as JMX. */
    Engine atFirstLock(Runnable action) {
        atFirstLock.set(action);
        return this;
    }

    private PageLockException explainLock(PageLockException e, Handle handle) {
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
        Set<LockOption> set = addressSpaceOptions(options);
        try {
            // Made first: without memory for it, nothing is locked.
            Explained explained = new Explained();
            explained.lock = addressSpace.lock(scope, set);
            return explained;
        } catch (PageLockException e) {
            throw explain(e, "lock the address space", null);
        }
    }

    /** Adds to refusals what the engine knows. */
    private final class Explained implements AddressSpaceLock {
        private AddressSpaceLock lock;

        @Override
        public AddressSpaceScope scope() {
            return lock.scope();
        }

        @Override
        public Set<LockOption> options() {
            return lock.options();
        }

        @Override
        public boolean isValid() {
            return lock.isValid();
        }

        @Override
        public void close() {
            try {
                lock.close();
            } catch (PageLockException e) {
                throw explain(e, lock.isValid() ? "unlock the address space" : "lock a handle's pages again:", null);
            }
        }

        @Override
        public String toString() {
            return lock.toString();
        }
    }

    @Override
    public void sync(MemoryRange range, SyncOption... options) {
        Set<SyncOption> set = set(SyncOption.class, options);
        require(Capability.SYNC, "sync");
        MemoryScopes.check(range.owner().orElse(null));
        long start = alignedStart(range);
        try {
            Abilities.of(backend, Syncing.class).sync(start, alignedEnd(range) - start, set);
        } catch (PageLockException e) {
            throw explain(e, "sync", range);
        } finally {
            keepReachable(range);
        }
    }

    @Override
    public void sync(ByteBuffer buffer, SyncOption... options) {
        sync(rangeOf(buffer), options);
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        MemoryScopes.check(range.owner().orElse(null));
        long start = alignedStart(range);
        PageStates states = this.states.pageStates(MemoryRange.of(start, alignedEnd(range) - start));
        keepReachable(range);
        return states;
    }

    @Override
    public PageStates pageStates(ByteBuffer buffer) {
        return pageStates(rangeOf(buffer));
    }

    @Override
    public MemoryRange rangeOf(ByteBuffer buffer) {
        MemoryRange range = rangeUnder(buffer);
        return MemoryRange.of(range.address(), range.length(), buffer);
    }

    private MemoryRange rangeUnder(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException(buffer + " is on the Java heap, where the garbage collector moves it;"
                    + " use ByteBuffer.allocateDirect or a mapped file");
        }
        if (!buffer.hasRemaining()) {
            throw new IllegalArgumentException(
                    buffer + " has no bytes remaining; a lock covers the bytes from position to limit");
        }
        MemoryScopes.check(buffer);
        return MemoryRange.of(backend.address(buffer) + buffer.position(), buffer.remaining());
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
        addressSpaceOptions(options);
        return forecasts.ofAddressSpace(scope);
    }

    @Override
    public Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public BackendInfo backendInfo() {
        return info;
    }

    @Override
    public long pageSize() {
        return pageSize;
    }

    @Override
    public Statistics statistics() {
        Map<Reason, Long> counts = new EnumMap<>(Reason.class);
        for (Reason reason : Reason.values()) {
            long count = failures.get(reason.ordinal());
            if (count > 0) {
                counts.put(reason, count);
            }
        }
        long heldBytes = ranges.heldBytes();
        return new Statistics(
                ranges.openHolds(),
                heldBytes,
                heldBytes / pageSize,
                backend.limits().lockedBytes(),
                reaper.leaked(),
                longestLock.get(),
                ranges.leftoverBytes(),
                counts);
    }

    private boolean isOnFault(LockOption... options) {
        boolean onFault = false;
        for (LockOption option : options) {
            if (option == LockOption.ON_FAULT) {
                require(Capability.LOCK_ON_FAULT, "lock on fault");
                onFault = true;
            }
        }
        return onFault;
    }

    private Set<LockOption> addressSpaceOptions(LockOption... options) {
        Set<LockOption> set = set(LockOption.class, options);
        require(Capability.LOCK_ADDRESS_SPACE, "lock the address space");
        if (set.contains(LockOption.ON_FAULT)) {
            require(Capability.LOCK_ADDRESS_SPACE_ON_FAULT, "lock the address space on fault");
        }
        return set;
    }

    private static <E extends Enum<E>> Set<E> set(Class<E> type, E[] options) {
        Set<E> set = EnumSet.noneOf(type);
        Collections.addAll(set, options);
        return set;
    }

    private void require(Capability capability, String action) {
        if (!capabilities.contains(capability)) {
            throw new UnsupportedOperationException(
                    "backend " + info + " cannot " + action + ": it lacks the capability " + capability);
        }
    }

    private long alignedStart(MemoryRange range) {
        long start = range.address() & -pageSize;
        long end = (range.end() + pageSize - 1) & -pageSize;
        boolean outside = addressBits == 32 && Unsigned.less(0xffffffffL & -pageSize, end);
        if (start == 0 || end == 0 || outside || end - start < 0) {
            throw new IllegalArgumentException(range + ", rounded to pages of " + pageSize
                    + " bytes, touches the first or the last page of the " + addressBits
                    + "-bit address space, lies outside it, or has 2^63 bytes or more");
        }
        return start;
    }

    private long alignedEnd(MemoryRange range) {
        return (range.end() + pageSize - 1) & -pageSize;
    }

    private PageLockException explain(PageLockException e, String action, MemoryRange asked) {
        failures.incrementAndGet(e.reason().ordinal());
        PageLockException.Builder builder = e.toBuilder().action(action).system(info.system());
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
