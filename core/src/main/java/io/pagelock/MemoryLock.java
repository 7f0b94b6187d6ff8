// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.Optional;
import java.util.Set;

/**
 * Represents a lock on memory: a {@link PageLock} on ranges, or an {@link AddressSpaceLock} on all of it. All methods may be
 * called by any thread at any time.
 */
public interface MemoryLock extends AutoCloseable {
    /**
     * Returns the options of the lock.
     *
     * @return an unmodifiable set, possibly empty
     */
    Set<LockOption> options();

    /**
     * Reports whether this lock still keeps its pages locked. Does not ask the system.
     *
     * @return true until the lock is closed or has lost its pages
     */
    boolean isValid();

    /**
     * Returns why nothing was locked, see {@link LockPolicy#BEST_EFFORT}. Such a lock was never valid; closing it only
     * removes it from {@link PageLocker#report()}.
     *
     * @return what {@link LockPolicy#REQUIRED} would have thrown; empty if the memory was locked
     */
    default Optional<PageLockException> failure() {
        return Optional.empty();
    }

    /**
     * Ends this lock. Closing again does nothing.
     *
     * @throws PageLockException if the system refused
     */
    @Override
    void close();
}
