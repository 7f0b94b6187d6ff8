// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import java.util.function.IntSupplier;

/**
 * Unlocks ranges on a system whose munlock refuses a range that has a page which is not locked, and then unlocks
 * nothing: EINVAL in munlock(2) of NetBSD. For {@link io.pagelock.spi.Backend#unlock}, such pages are no error.
 */
public final class UnlockByHalves {
    /** {@code munlock}. */
    public interface Call {
        /**
         * Makes the call.
         *
         * @param address the start
         * @param length the length in bytes
         * @return 0, or -1 and errno
         */
        int unlock(long address, long length);
    }

    private final Call call;
    private final IntSupplier errno;
    private final long pageSize;
    private final int notLocked;

    /**
     * Makes an instance for a system.
     *
     * @param call its call
     * @param errno the errno that the last call of this thread left
     * @param pageSize bytes in a page
     * @param notLocked the errno for a page that is not locked
     */
    public UnlockByHalves(Call call, IntSupplier errno, long pageSize, int notLocked) {
        this.call = call;
        this.errno = errno;
        this.pageSize = pageSize;
        this.notLocked = notLocked;
    }

    /**
     * Unlocks the locked pages of a range: all of it by one call or, if that is refused, by halves, which takes up to
     * two calls for each page. Nothing stays locked, unless the result is another errno; then part of the range may.
     *
     * @param address the start, on a page boundary
     * @param length the length in bytes, a whole number of pages, not 0
     * @return 0, or the errno of a refusal for another cause
     */
    public int unlock(long address, long length) {
        if (call.unlock(address, length) == 0) {
            return 0;
        }
        int refusal = errno.getAsInt();
        if (refusal != notLocked) {
            return refusal;
        }
        if (length == pageSize) {
            return 0;
        }
        long half = length / pageSize / 2 * pageSize;
        int first = unlock(address, half);
        return first != 0 ? first : unlock(address + half, length - half);
    }
}
