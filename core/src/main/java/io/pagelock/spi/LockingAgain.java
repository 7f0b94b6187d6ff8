// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/**
 * Locks what is already locked. This is worth implementing if {@link Backend#lock} afterwards asks the system
 * whether it has locked anything, since here that is known.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. The rules of {@link Backend} on addresses
 * and threads apply here too.
 */
public interface LockingAgain {
    /**
     * Locks a range fully that is known to be locked: a page that other handles hold and that
     * {@link PageStateReading#anyLocked} has just found locked, or a part of a range that {@link Backend#lock} has just locked on
     * fault. Still asks the system to lock it, since a page that is marked as locked need not be in memory.
     *
     * @param address the start of the range, on a page boundary
     * @param length a multiple of the page size, in bytes
     * @throws io.pagelock.PageLockException if the system refused
     */
    void lockAgain(long address, long length);

    /**
     * Reports whether a page is in memory if it is locked, so that it need not be locked again: one that other handles hold
     * fully, and that {@link PageStateReading#anyLocked} has just found locked. The page of a file may not be, since the
     * file may have been truncated under its lock.
     *
     * @param address the start of the page
     * @param length the page size, in bytes
     * @return false, as here, if that is not certain
     */
    default boolean staysInMemory(long address, long length) {
        return false;
    }
}
