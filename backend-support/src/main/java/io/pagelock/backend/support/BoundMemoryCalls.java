// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/**
 * The locking calls of a library, for a backend whose binding adds functions of its own system: extend it and implement the
 * rest. Safe for use by several threads.
 */
public class BoundMemoryCalls implements MemoryCalls {
    private final CLibrary library;
    private final MemoryCalls memory;

    /**
     * Binds the calls.
     *
     * @param library the C library
     * @throws io.pagelock.PageLockException with {@link io.pagelock.Reason#NOT_SUPPORTED} if one of them is missing
     */
    public BoundMemoryCalls(CLibrary library) {
        this.library = library;
        memory = library.memoryCalls();
    }

    @Override
    public int mlock(long addr, long len) {
        return memory.mlock(addr, len);
    }

    @Override
    public int munlock(long addr, long len) {
        return memory.munlock(addr, len);
    }

    @Override
    public int mlockall(int flags) {
        return memory.mlockall(flags);
    }

    @Override
    public int munlockall() {
        return memory.munlockall();
    }

    @Override
    public int msync(long addr, long len, int flags) {
        return memory.msync(addr, len, flags);
    }

    @Override
    public int getpagesize() {
        return memory.getpagesize();
    }

    /**
     * What the last call of this thread left in errno; only after a failure, and then at once.
     *
     * @return errno
     */
    public int errno() {
        return library.errno();
    }
}
