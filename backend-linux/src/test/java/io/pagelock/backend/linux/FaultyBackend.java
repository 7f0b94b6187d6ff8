// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

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
import io.pagelock.spi.Backend;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/** Passes every call on to a backend, and lets those that lock or unlock fail when it is told to. */
final class FaultyBackend implements Backend {
    /** What comes of a call: thrown instead of its effect, or after it. */
    record Fault(RuntimeException thrown, boolean afterEffect) {
        static Fault refusal(Reason reason, boolean afterEffect) {
            return new Fault(
                    PageLockException.because(reason).detail("injected").build(), afterEffect);
        }
    }

    private final Backend backend;
    private final Supplier<Fault> next;

    /**
     * Wraps a backend.
     *
     * @param next asked at each call, by any thread; null where the call should not fail
     */
    FaultyBackend(Backend backend, Supplier<Fault> next) {
        this.backend = backend;
        this.next = next;
    }

    private void call(Runnable effect) {
        Fault fault = next.get();
        if (fault == null || fault.afterEffect) {
            effect.run();
        }
        if (fault != null) {
            throw fault.thrown;
        }
    }

    /** On Linux a refused call for the address space has no effect, and the backend says so. */
    private void callForAll(Runnable effect) {
        Fault fault = next.get();
        if (fault != null) {
            throw fault.thrown;
        }
        effect.run();
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        call(() -> backend.lock(address, length, options));
    }

    @Override
    public void unlock(long address, long length) {
        call(() -> backend.unlock(address, length));
    }

    @Override
    public boolean pageIn(long address, long length) {
        return backend.pageIn(address, length);
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        callForAll(() -> backend.lockAll(scope, options));
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        callForAll(() -> backend.unlockAll(keep));
    }

    @Override
    public boolean failedLockAllLeavesNothing() {
        return backend.failedLockAllLeavesNothing();
    }

    @Override
    public BackendInfo info() {
        return backend.info();
    }

    @Override
    public long pageSize() {
        return backend.pageSize();
    }

    @Override
    public int addressBits() {
        return backend.addressBits();
    }

    @Override
    public Set<Capability> capabilities() {
        return backend.capabilities();
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        backend.sync(address, length, options);
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        return backend.pageStates(range);
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return backend.mapped(range);
    }

    @Override
    public LockLimits limits() {
        return backend.limits();
    }

    @Override
    public OptionalLong addressSpaceBytes() {
        return backend.addressSpaceBytes();
    }

    @Override
    public String remedy(Reason reason, long bytes) {
        return backend.remedy(reason, bytes);
    }

    @Override
    public long address(ByteBuffer buffer) {
        return backend.address(buffer);
    }
}
