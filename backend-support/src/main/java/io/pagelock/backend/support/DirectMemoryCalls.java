// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/**
 * Binds {@link MemoryCalls} as native methods, which with JNA are faster than its other way, and correct only where
 * pointers have 8 bytes; see
 * {@link CLibrary#bind(java.lang.invoke.MethodHandles.Lookup, Class, java.util.function.Function)}. Extend it for a
 * system that calls other functions equally often.
 */
public class DirectMemoryCalls implements MemoryCalls {
    private final CLibrary library;

    /**
     * Keeps the library, which binds the methods.
     *
     * @param library the C library
     */
    public DirectMemoryCalls(CLibrary library) {
        this.library = library;
    }

    @Override
    public native int mlock(long addr, long len);

    @Override
    public native int munlock(long addr, long len);

    @Override
    public native int mlockall(int flags);

    @Override
    public native int munlockall();

    @Override
    public native int msync(long addr, long len, int flags);

    @Override
    public native int getpagesize();

    @Override
    public final int errno() {
        return library.errno();
    }

    @Override
    public final boolean has(String function) {
        return library.has(function);
    }
}
