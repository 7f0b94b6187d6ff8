// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
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
import io.pagelock.Tristate;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.Executor;

/** An {@link Engine} whose refused locks are handles without a lock instead of exceptions. */
public final class PolicyLocker implements PageLocker {
    private final Engine engine;
    private final LockPolicy policy;
    /** Why there is no backend; null if there is one. */
    private final PageLockException absence;

    /** The handles without a lock that are neither closed nor dropped. */
    private final Map<MemoryLock, Boolean> notLocked = Collections.synchronizedMap(new WeakHashMap<>());

    /**
     * Makes a locker with {@link LockPolicy#BEST_EFFORT} over a backend.
     *
     * @param engine what locks
     */
    public PolicyLocker(Engine engine) {
        this.engine = engine;
        this.policy = LockPolicy.BEST_EFFORT;
        this.absence = null;
    }

    /** Makes a locker over no backend. */
    PolicyLocker(LockPolicy policy, PageLockException absence) {
        this.engine = new Engine(new NoBackend(absence));
        this.policy = policy;
        this.absence = absence;
    }

    /** Returns the locker that locks nothing because nothing is wanted. */
    static PolicyLocker off() {
        return new PolicyLocker(
                LockPolicy.OFF,
                PageLockException.because(Reason.NOT_SUPPORTED)
                        .detail("locking is switched off by LockPolicy.OFF")
                        .remedies("Ask for the locker with LockPolicy.REQUIRED or BEST_EFFORT")
                        .build());
    }

    @Override
    public LockPolicy policy() {
        return policy;
    }

    @Override
    public LockReport report() {
        List<MemoryLock> without;
        synchronized (notLocked) {
            without = new ArrayList<>(notLocked.keySet());
        }
        return engine.report(policy, without);
    }

    @Override
    public PageLock lock(ByteBuffer buffer, LockOption... options) {
        boolean onFault = LockOptions.isOnFault(options);
        return attempt(engine.handle(buffer, onFault));
    }

    @Override
    public PageLock lock(MemoryRange range, LockOption... options) {
        return attempt(engine.handle(range, LockOptions.isOnFault(options)));
    }

    @Override
    public PageLock lock(Collection<MemoryRange> ranges, LockOption... options) {
        return attempt(engine.handle(ranges, LockOptions.isOnFault(options)));
    }

    private PageLock attempt(Handle handle) {
        try {
            requireOnFault(handle);
            return engine.acquire(handle, Progress.UNWATCHED);
        } catch (PageLockException e) {
            return without(handle, e);
        }
    }

    private void requireOnFault(Handle handle) {
        if (handle.hold().onFault && !capabilities().contains(Capability.LOCK_ON_FAULT)) {
            throw engine.explainLock(lacking("lock on fault"), handle);
        }
    }

    private PageLockException lacking(String what) {
        return absence != null
                ? absence
                : PageLockException.because(Reason.NOT_SUPPORTED)
                        .action(what)
                        .detail("the backend lacks the capability")
                        .system(backendInfo().system())
                        .build();
    }

    private Handle without(Handle handle, PageLockException why) {
        handle.without(why, this);
        notLocked.put(handle, true);
        return handle;
    }

    /** Called when a handle without a lock is closed. */
    void closed(MemoryLock handle) {
        notLocked.remove(handle);
    }

    @Override
    public PendingLock lockAsync(MemoryRange range, LockOption... options) {
        return start(engine.handle(range, LockOptions.isOnFault(options)), null);
    }

    @Override
    public PendingLock lockAsync(ByteBuffer buffer, LockOption... options) {
        return start(engine.handle(buffer, LockOptions.isOnFault(options)), null);
    }

    @Override
    public PendingLock lockAsync(Collection<MemoryRange> ranges, LockOption... options) {
        return start(engine.handle(ranges, LockOptions.isOnFault(options)), null);
    }

    @Override
    public PendingLock lockAsync(ByteBuffer buffer, Executor executor, LockOption... options) {
        Objects.requireNonNull(executor, "executor");
        return start(engine.handle(buffer, LockOptions.isOnFault(options)), executor);
    }

    @Override
    public PendingLock lockAsync(MemoryRange range, Executor executor, LockOption... options) {
        Objects.requireNonNull(executor, "executor");
        return start(engine.handle(range, LockOptions.isOnFault(options)), executor);
    }

    @Override
    public PendingLock lockAsync(Collection<MemoryRange> ranges, Executor executor, LockOption... options) {
        Objects.requireNonNull(executor, "executor");
        return start(engine.handle(ranges, LockOptions.isOnFault(options)), executor);
    }

    private PendingLock start(Handle handle, Executor executor) {
        Pending pending = new Pending(handle.hold().bytes(), refusal -> without(handle, refusal));
        try {
            requireOnFault(handle);
        } catch (PageLockException e) {
            pending.fail(e);
            return pending;
        }
        return engine.start(handle, executor, pending);
    }

    @Override
    public AddressSpaceLock lockAddressSpace(AddressSpaceScope scope, LockOption... options) {
        Objects.requireNonNull(scope, "scope");
        Set<LockOption> set = Arguments.setOf(LockOption.class, options);
        PageLockException why;
        try {
            return engine.lockAddressSpace(scope, options);
        } catch (PageLockException e) {
            why = e;
        } catch (UnsupportedOperationException e) {
            why = lacking("lock the address space");
        }
        AddressSpaceLock without = new WithoutLock(scope, Collections.unmodifiableSet(set), why);
        notLocked.put(without, true);
        return without;
    }

    /** An address-space lock that was refused. */
    private final class WithoutLock implements AddressSpaceLock {
        private final AddressSpaceScope scope;
        private final Set<LockOption> options;
        private final PageLockException why;

        WithoutLock(AddressSpaceScope scope, Set<LockOption> options, PageLockException why) {
            this.scope = scope;
            this.options = options;
            this.why = why;
        }

        @Override
        public AddressSpaceScope scope() {
            return scope;
        }

        @Override
        public Set<LockOption> options() {
            return options;
        }

        @Override
        public boolean isValid() {
            return false;
        }

        @Override
        public Optional<PageLockException> failure() {
            return Optional.of(why);
        }

        @Override
        public void close() {
            closed(this);
        }

        @Override
        public String toString() {
            return "AddressSpaceLock[" + scope + "] (not locked)";
        }
    }

    @Override
    public Forecast forecast(long bytes) {
        Forecast forecast = engine.forecast(bytes);
        return absence == null ? forecast : refused(forecast.bytes());
    }

    @Override
    public Forecast forecastAddressSpace(AddressSpaceScope scope, LockOption... options) {
        try {
            return engine.forecastAddressSpace(scope, options);
        } catch (UnsupportedOperationException e) {
            return refused(0);
        }
    }

    private Forecast refused(long bytes) {
        PageLockException why = lacking("lock the address space");
        return new Forecast(Tristate.NO, bytes, why.reason(), why.detail(), why.remedies());
    }

    @Override
    public void sync(MemoryRange range, SyncOption... options) {
        engine.sync(range, options);
    }

    @Override
    public void sync(ByteBuffer buffer, SyncOption... options) {
        engine.sync(buffer, options);
    }

    @Override
    public void sync(Collection<MemoryRange> ranges, SyncOption... options) {
        engine.sync(ranges, options);
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        return engine.pageStates(range);
    }

    @Override
    public PageStates pageStates(ByteBuffer buffer) {
        return engine.pageStates(buffer);
    }

    @Override
    public List<PageStates> pageStates(Collection<MemoryRange> ranges) {
        return engine.pageStates(ranges);
    }

    @Override
    public MemoryRange rangeOf(ByteBuffer buffer) {
        return engine.rangeOf(buffer);
    }

    @Override
    public LockLimits limits() {
        return engine.limits();
    }

    @Override
    public Set<Capability> capabilities() {
        return engine.capabilities();
    }

    @Override
    public BackendInfo backendInfo() {
        return engine.backendInfo();
    }

    @Override
    public long pageSize() {
        return engine.pageSize();
    }

    @Override
    public Statistics statistics() {
        return engine.statistics();
    }

    @Override
    public Optional<List<MemoryRange>> unmapped() {
        return engine.unmapped();
    }

    /** Returns an optional ability of the backend. */
    public <A> Optional<A> ability(Class<A> type) {
        return engine.ability(type);
    }
}
