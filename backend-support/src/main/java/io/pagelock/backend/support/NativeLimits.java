// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.LimitValue;

/** Converts limits from the form that they have in C. */
public final class NativeLimits {
    private NativeLimits() {}

    /**
     * Reads a limit of 64 bits, such as {@code rlim_t}.
     *
     * @param bytes the number, unsigned
     * @return the limit; unlimited from {@link Long#MAX_VALUE} on, since infinity is 2^64-1 or 2^63-1 and no memory is larger
     */
    public static LimitValue of(long bytes) {
        return bytes < 0 || bytes == Long.MAX_VALUE ? LimitValue.unlimited() : LimitValue.ofBytes(bytes);
    }

    /**
     * Reads a limit that a system keeps in pages.
     *
     * @param pages the number of pages; negative for unlimited
     * @param pageSize bytes in a page
     * @return the limit in bytes; unlimited if it does not fit
     */
    public static LimitValue ofPages(long pages, long pageSize) {
        return pages < 0 || pages > Long.MAX_VALUE / pageSize ? LimitValue.unlimited() : of(pages * pageSize);
    }
}
