// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.util.Set;

/**
 * Guards private memory without a file, such as that of direct buffers.
 *
 * <p>An optional ability: found with {@link Backend#ability}. Addresses and lengths are in bytes, aligned to the page
 * size, and not empty. The methods may be called by any thread at any time, but never by two threads at once for
 * overlapping ranges.
 */
public interface MemoryGuarding {
    /**
     * Returns the guards that this system has. Others are refused with {@link UnsupportedOperationException} before any
     * system call.
     *
     * @return always the same set
     */
    Set<MemoryGuard> guards();

    /**
     * Begins a guard. Pages that already have it are no error. {@link MemoryGuard#SECRET} must come before any other
     * guard or lock of the same pages. May leave part of the range guarded when it fails.
     *
     * @param address the start
     * @param length the length in bytes
     * @param guard what to do
     * @throws PageLockException if the system refused; with {@link Reason#NOT_MAPPED} if there is a hole, and
     *     {@link Reason#OVER_LIMIT} if secret memory exceeds the limit of locked memory
     */
    void guard(long address, long length, MemoryGuard guard);

    /**
     * Ends a guard, so that the pages are as before. Pages that do not have it are no error.
     *
     * @param address the start
     * @param length the length in bytes
     * @param guard what to end
     * @throws PageLockException if the system refused, as {@link #guard} does
     */
    void unguard(long address, long length, MemoryGuard guard);
}
