// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/**
 * Locks a page again that is locked. Worth having where {@link Backend#lock} asks the system afterwards whether it has locked
 * anything, which is known here.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. What {@link Backend} says of addresses and
 * threads holds here, too.
 */
public interface LockingAgain {
    /**
     * Locks a page fully that other handles hold, and that {@link PageStateReading#anyLocked} has just found locked. The system is
     * asked all the same: a page that is marked as locked need not be in memory.
     *
     * @param address the start of the page
     * @param length the page size, in bytes
     * @throws io.pagelock.PageLockException if the system refused
     */
    void lockAgain(long address, long length);
}
