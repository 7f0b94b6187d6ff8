// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/**
 * Declares the locking calls of POSIX as Linux, the BSDs, HP-UX and IRIX have them: names, order and results as in C.
 * Extend it with the other functions of a system. A system may have renamed one, so look into its headers; if it has,
 * bind through {@link CLibrary#renaming}. On NetBSD, {@code msync} is an old function of two arguments, and the current
 * one is {@code __msync13}.
 *
 * <p>All but {@link #getpagesize} return 0 or -1; read {@link #errno()} only after -1, and then at once, in the same
 * thread.
 *
 * <p>Sources: mlock(2), mlockall(2), msync(2) and getpagesize(2) of Linux, FreeBSD and HP-UX; mlock(3C) and
 * mlockall(3C) of IRIX.
 */
public interface MemoryCalls extends NativeCalls {
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
