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
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.Backend;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/** Passes every call on, for subclasses that spoil one. */
class PassingBackend implements Backend {
    final FakeBackend good;
    final FakeKernel kernel;
    final long page;

    PassingBackend(FakeBackend good) {
        this.good = good;
        kernel = good.kernel();
        page = good.pageSize();
    }

    @Override
    public BackendInfo info() {
        return good.info();
    }

    @Override
    public long pageSize() {
        return good.pageSize();
    }

    @Override
    public int addressBits() {
        return good.addressBits();
    }

    @Override
    public Set<Capability> capabilities() {
        return good.capabilities();
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        good.lock(address, length, options);
    }

    @Override
    public AsyncCall lockAsync(long address, long length, Consumer<PageLockException> done) {
        return good.lockAsync(address, length, done);
    }

    @Override
    public boolean pageIn(long address, long length) {
        return good.pageIn(address, length);
    }

    @Override
    public void unlock(long address, long length) {
        good.unlock(address, length);
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        good.lockAll(scope, options);
    }

    @Override
    public boolean failedLockAllLeavesNothing() {
        return good.failedLockAllLeavesNothing();
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        good.unlockAll(keep);
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        good.sync(address, length, options);
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        return good.pageStates(range);
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return good.mapped(range);
    }

    @Override
    public LockLimits limits() {
        return good.limits();
    }

    @Override
    public OptionalLong addressSpaceBytes() {
        return good.addressSpaceBytes();
    }

    @Override
    public String remedy(Reason reason, long bytes) {
        return good.remedy(reason, bytes);
    }

    @Override
    public long address(ByteBuffer buffer) {
        return good.address(buffer);
    }
}
