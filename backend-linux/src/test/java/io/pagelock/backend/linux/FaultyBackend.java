// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.ForwardingBackend;
import io.pagelock.spi.Backend;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** Passes every call on to a backend, and lets those that lock or unlock fail when it is told to. */
final class FaultyBackend extends ForwardingBackend {
    /** What comes of a call: thrown instead of its effect, or after it. */
    record Fault(RuntimeException thrown, boolean afterEffect) {
        static Fault refusal(Reason reason, boolean afterEffect) {
            return new Fault(
                    PageLockException.because(reason).detail("injected").build(), afterEffect);
        }
    }

    private final Supplier<Fault> next;

    /**
     * Wraps a backend.
     *
     * @param next asked at each call, by any thread; null where the call should not fail
     */
    FaultyBackend(Backend backend, Supplier<Fault> next) {
        super(backend);
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
        call(() -> super.lock(address, length, options));
    }

    @Override
    public void unlock(long address, long length) {
        call(() -> super.unlock(address, length));
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        callForAll(() -> super.lockAll(scope, options));
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        callForAll(() -> super.unlockAll(keep));
    }
}
