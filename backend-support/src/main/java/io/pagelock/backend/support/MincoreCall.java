// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/**
 * Declares mincore(2), which is the same on Linux, FreeBSD and Solaris, separately from the calls that every system
 * has.
 *
 * <p>Sources: mincore(2) of Linux, FreeBSD and Solaris.
 */
public interface MincoreCall extends NativeCalls {
    /**
     * {@code int mincore(void *addr, size_t len, char *vec)}. The bits of a byte have different meanings; only the
     * lowest is the same everywhere, and set if the page is in memory.
     *
     * @param addr the start, on a page boundary
     * @param len the length in bytes
     * @param vec takes one byte for each page
     * @return 0, or -1 and errno
     */
    int mincore(long addr, long len, byte[] vec);
}
