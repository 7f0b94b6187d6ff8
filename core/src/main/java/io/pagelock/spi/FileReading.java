// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;

/**
 * Reads in pages of files before they are locked, for systems whose lock cannot be interrupted while it reads, or never
 * returns if a block cannot be read.
 *
 * <p>A {@link Backend} implements this if it can. It may be called by any thread at any time.
 */
public interface FileReading {
    /**
     * Brings in pages of files that are not in memory, from the start of a range on: as many as a usual disk reads in a
     * moment, some 100 KiB. Skips other memory, up to the end of its mapping. The engine calls this again for the rest,
     * and may stop in between.
     *
     * @param address the start, aligned
     * @param length the length in bytes, aligned, more than 0
     * @return how many bytes are done, aligned: more than 0, at most {@code length}. Pages that cannot be brought in
     *     for another reason than a failed read count as done; the lock that follows says why
     * @throws PageLockException if a page cannot be read
     */
    long readIn(long address, long length);
}
