// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.spi.Backend;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Forwards every call until its test is over, and changes nothing afterwards. A locker lives longer than its test: it unlocks the
 * handles that the test dropped and its leftovers when a collection comes, which by then would be memory of a later test.
 */
final class OneTestBackend extends ForwardingBackend {
    /** Held for reading by each call, so that none is under way when the test is over. */
    private final ReentrantReadWriteLock calls = new ReentrantReadWriteLock();

    private boolean isOver;

    OneTestBackend(Backend delegate) {
        super(delegate);
    }

    void end() {
        calls.writeLock().lock();
        isOver = true;
        calls.writeLock().unlock();
    }

    private void unlessOver(Runnable call) {
        calls.readLock().lock();
        try {
            if (!isOver) {
                call.run();
            }
        } finally {
            calls.readLock().unlock();
        }
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        unlessOver(() -> super.lock(address, length, options));
    }

    @Override
    public void unlock(long address, long length) {
        unlessOver(() -> super.unlock(address, length));
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        unlessOver(() -> super.lockAll(scope, options));
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        unlessOver(() -> super.unlockAll(keep));
    }
}
