// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Represents a lock on the whole address space of this process, see {@link PageLocker#lockAddressSpace}. Several may be
 * open; their scopes add up.
 *
 * <p>Unlike a {@link PageLock}, it is not ended by garbage collection. It lasts until {@link #close} or the end of the
 * process, so a server may drop the reference. All methods may be called by any thread at any time.
 */
public interface AddressSpaceLock extends MemoryLock {
    /**
     * Returns the part of the address space that this lock asked for.
     *
     * @return the scope
     */
    AddressSpaceScope scope();

    /**
     * Reports whether this lock is open.
     *
     * @return false once closed
     */
    @Override
    boolean isValid();

    /**
     * Ends the locking that only this {@link AddressSpaceLock} asked for. When the last open one closes, everything is
     * unlocked except the pages of open {@link PageLock} handles. While another one is open, locked pages stay locked;
     * only future locking ends, if no other asks for it. Closing again does nothing.
     *
     * <p>On Linux, the pages of open handles stay locked throughout if the limit permits it. Other systems can only
     * unlock everything; the handles' pages are then locked again at once.
     *
     * @throws PageLockException if the system refused, which leaves this lock open; or if the pages of a handle could
     *     not be locked again, which leaves this lock closed and that handle not {@linkplain PageLock#isValid() valid}.
     *     If the system refused to lock again what the other open ones ask for, that is not locked until a close
     *     succeeds
     */
    @Override
    void close();
}
