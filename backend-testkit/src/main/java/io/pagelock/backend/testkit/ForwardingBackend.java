// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.LockingAgain;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.MemoryGuarding;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.PagingIn;
import io.pagelock.spi.Syncing;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Forwards every call to another backend, for subclasses that change one. It has the abilities that the other one has; those
 * that are not among its own interfaces are the other one's objects.
 */
public class ForwardingBackend
        implements Backend,
                AddressSpaceLocking,
                AsyncLocking,
                LockingAgain,
                MemoryGuarding,
                PageStateReading,
                PagingIn,
                Syncing {
    private final Backend delegate;

    /**
     * Wraps a backend.
     *
     * @param delegate the backend that gets the calls
     */
    public ForwardingBackend(Backend delegate) {
        this.delegate = Objects.requireNonNull(delegate, "delegate");
    }

    @Override
    public <A> Optional<A> ability(Class<A> type) {
        Optional<A> theirs = delegate.ability(type);
        return theirs.isPresent() && type.isInstance(this) ? Optional.of(type.cast(this)) : theirs;
    }

    private <A> A theirs(Class<A> type) {
        return delegate.ability(type)
                .orElseThrow(() -> new UnsupportedOperationException(delegate.info() + " has no " + type.getName()));
    }

    @Override
    public BackendInfo info() {
        return delegate.info();
    }

    @Override
    public long pageSize() {
        return delegate.pageSize();
    }

    @Override
    public int addressBits() {
        return delegate.addressBits();
    }

    @Override
    public Set<Capability> capabilities() {
        return delegate.capabilities();
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        delegate.lock(address, length, options);
    }

    /** Calls {@link #lock}, so that a subclass that changes one changes both. */
    @Override
    public void lockAgain(long address, long length) {
        lock(address, length, Collections.<LockOption>emptySet());
    }

    @Override
    public boolean failedLockLeavesNothing() {
        return delegate.failedLockLeavesNothing();
    }

    @Override
    public void unlock(long address, long length) {
        delegate.unlock(address, length);
    }

    @Override
    public LockLimits limits() {
        return delegate.limits();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return delegate.remedies(reason, bytes);
    }

    @Override
    public long address(ByteBuffer buffer) {
        return delegate.address(buffer);
    }

    @Override
    public AsyncCall lockAsync(long address, long length, Consumer<PageLockException> done) {
        return theirs(AsyncLocking.class).lockAsync(address, length, done);
    }

    @Override
    public boolean pageIn(long address, long length) {
        return theirs(PagingIn.class).pageIn(address, length);
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        theirs(AddressSpaceLocking.class).lockAll(scope, options);
    }

    @Override
    public boolean failedLockAllLeavesNothing() {
        return theirs(AddressSpaceLocking.class).failedLockAllLeavesNothing();
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        theirs(AddressSpaceLocking.class).unlockAll(keep);
    }

    @Override
    public OptionalLong addressSpaceBytes() {
        return theirs(AddressSpaceLocking.class).addressSpaceBytes();
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        theirs(Syncing.class).sync(address, length, options);
    }

    @Override
    public Set<MemoryGuard> guards() {
        return theirs(MemoryGuarding.class).guards();
    }

    @Override
    public void guard(long address, long length, MemoryGuard guard) {
        theirs(MemoryGuarding.class).guard(address, length, guard);
    }

    @Override
    public void unguard(long address, long length, MemoryGuard guard) {
        theirs(MemoryGuarding.class).unguard(address, length, guard);
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        return theirs(PageStateReading.class).pageStates(range);
    }

    @Override
    public Tristate anyLocked(MemoryRange range) {
        return theirs(PageStateReading.class).anyLocked(range);
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return theirs(PageStateReading.class).mapped(range);
    }
}
