// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.List;

/**
 * Keeps memory locked, in the manner of {@link java.nio.channels.FileLock}. <strong>The handle is the lock:</strong>
 * while it is open and reachable, the pages under its ranges stay locked, whatever other handles over the same pages
 * do.
 *
 * <p>If a handle becomes unreachable without {@link #close}, a garbage collection finds it: its pages are unlocked,
 * {@link Statistics#leakedHandles()} counts it, and a warning is logged, see {@link PageLocker#LEAKS_PROPERTY}. A
 * handle keeps the buffer or the owners of its ranges reachable until the pages are unlocked.
 *
 * <p>A forked child does not inherit locks, and exec ends them. Unmapping the memory releases the lock; closing the
 * handle afterwards is harmless and still required. All methods may be called by any thread at any time.
 */
public interface PageLock extends MemoryLock {
    /**
     * Returns the ranges as they were passed, sorted by address. The lock covers these ranges rounded outward to whole
     * pages.
     *
     * @return an unmodifiable list, never empty
     */
    List<MemoryRange> ranges();

    /**
     * Reports whether this handle still keeps its pages locked: it is not closed, and the system did not refuse to lock
     * its pages again after an address-space lock ended. Does not ask the system: memory that was unmapped under the
     * handle shows in {@link PageLocker#pageStates(MemoryRange)}.
     *
     * @return true until the handle is closed or has lost its pages
     */
    @Override
    boolean isValid();

    /**
     * Unlocks the pages that no other handle covers. Closing again does nothing. While an {@link AddressSpaceLock} is
     * open, the pages stay locked until that ends, because it covers them too.
     *
     * <p>Holes that were unmapped under the handle are skipped; they do not keep the rest locked.
     *
     * @throws PageLockException if the system refused to unlock; the handle then stays open with the pages that are
     *     still locked, and a later {@code close} tries them again. Reasons: {@link Reason#TOO_MANY_MAPPINGS} (Linux,
     *     when unlocking must split a mapping), {@link Reason#NOT_PERMITTED} (Solaris, HP-UX, a FreeBSD jail),
     *     {@link Reason#BUSY} (IRIX). Sources: munlock(2) Linux, FreeBSD and HP-UX, memcntl(2) illumos, mlock(3C) IRIX.
     */
    @Override
    void close();
}
