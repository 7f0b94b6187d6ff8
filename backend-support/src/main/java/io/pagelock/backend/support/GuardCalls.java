// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/**
 * Declares the calls of {@link io.pagelock.spi.MemoryGuarding}, where pointers have 8 bytes. Sources: mprotect(2), madvise(2), mmap(2),
 * munmap(2), ftruncate(2), close(2) of Linux and FreeBSD; minherit(2) of FreeBSD; memfd_secret(2) of Linux.
 */
public interface GuardCalls extends NativeCalls {
    /**
     * {@code int mprotect(void *addr, size_t len, int prot)}.
     *
     * @param addr the start
     * @param len the length in bytes
     * @param prot the {@code PROT_} constants of the system
     * @return 0, or -1 and errno
     */
    int mprotect(long addr, long len, int prot);

    /**
     * {@code int madvise(void *addr, size_t len, int advice)}.
     *
     * @param addr the start
     * @param len the length in bytes
     * @param advice a {@code MADV_} constant of the system
     * @return 0, or -1 and errno
     */
    int madvise(long addr, long len, int advice);

    /**
     * {@code int minherit(void *addr, size_t len, int inherit)}.
     *
     * @param addr the start
     * @param len the length in bytes
     * @param inherit an {@code INHERIT_} constant of the system
     * @return 0, or -1 and errno
     */
    @MayBeMissing
    int minherit(long addr, long len, int inherit);

    /**
     * {@code void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)}.
     *
     * @param addr the start
     * @param len the length in bytes
     * @param prot the {@code PROT_} constants of the system
     * @param flags the {@code MAP_} constants of the system
     * @param fd a file, or -1
     * @param offset where in the file
     * @return the address, or -1 and errno
     */
    @SizeT
    long mmap(long addr, long len, int prot, int flags, int fd, long offset);

    /**
     * {@code int munmap(void *addr, size_t len)}.
     *
     * @param addr the start
     * @param len the length in bytes
     * @return 0, or -1 and errno
     */
    int munmap(long addr, long len);

    /**
     * {@code int ftruncate(int fd, off_t length)}.
     *
     * @param fd a file
     * @param length its length in bytes
     * @return 0, or -1 and errno
     */
    int ftruncate(int fd, long length);

    /**
     * {@code int close(int fd)}.
     *
     * @param fd a file
     * @return 0, or -1 and errno
     */
    int close(int fd);

    /**
     * {@code long syscall(long number, ...)} with one argument, for Linux.
     *
     * @param number the number of the call
     * @param argument its argument
     * @return its result, or -1 and errno
     */
    @MayBeMissing
    @SizeT
    long syscall(long number, long argument);
}
