// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/**
 * The locking calls that Linux, the BSDs, HP-UX and IRIX have under the same names, literally: names, order and results as
 * in C. Addresses and sizes are {@code long} here and go to C as wide as its {@code size_t}.
 *
 * <p>All but {@link #getpagesize} return 0 or -1; look at {@link CLibrary#errno()} only after -1, and then at once, in the
 * same thread. Get an implementation from {@link CLibrary#memoryCalls()}; implement it in tests.
 *
 * <p>Sources: mlock(2), mlockall(2), msync(2) and getpagesize(2) of Linux, FreeBSD and HP-UX; mlock(3C) and mlockall(3C) of
 * IRIX.
 */
public interface MemoryCalls {
    /**
     * {@code int mlock(const void *addr, size_t len)}.
     *
     * @param addr the start
     * @param len the length in bytes
     * @return 0, or -1 and errno
     */
    int mlock(long addr, long len);

    /**
     * {@code int munlock(const void *addr, size_t len)}.
     *
     * @param addr the start
     * @param len the length in bytes
     * @return 0, or -1 and errno
     */
    int munlock(long addr, long len);

    /**
     * {@code int mlockall(int flags)}.
     *
     * @param flags the {@code MCL_} constants of the system
     * @return 0, or -1 and errno
     */
    int mlockall(int flags);

    /**
     * {@code int munlockall(void)}.
     *
     * @return 0, or -1 and errno
     */
    int munlockall();

    /**
     * {@code int msync(void *addr, size_t len, int flags)}.
     *
     * @param addr the start
     * @param len the length in bytes
     * @param flags the {@code MS_} constants of the system
     * @return 0, or -1 and errno
     */
    int msync(long addr, long len, int flags);

    /**
     * {@code int getpagesize(void)}.
     *
     * @return bytes in a page
     */
    int getpagesize();
}
