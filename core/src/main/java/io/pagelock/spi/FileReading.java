// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;

/**
 * Reads in what comes from files before it is locked, for systems whose lock cannot be given up while it reads, or never
 * returns if a block cannot be read.
 *
 * <p>A {@link Backend} implements this where it can. May be called by any thread at any time.
 */
public interface FileReading {
    /**
     * Brings in, from the start of a range on, pages of files that are not in memory; as many as take a moment on a usual disk,
     * some 100 KiB. Other memory is passed over, as far as it is one mapping. The engine calls it again for the rest, and may
     * stop in between.
     *
     * @param address the start, aligned
     * @param length the length in bytes, aligned, more than 0
     * @return how many bytes are dealt with, aligned: more than 0, at most {@code length}. Pages that cannot be brought in for
     *     another reason than a failed read are dealt with, too; the lock that follows says why
     * @throws PageLockException if a page cannot be read
     */
    long readIn(long address, long length);
}
