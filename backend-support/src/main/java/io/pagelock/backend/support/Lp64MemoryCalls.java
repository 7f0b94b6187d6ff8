// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/** The calls where pointers and {@code size_t} have 8 bytes. */
final class Lp64MemoryCalls implements MemoryCalls {
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
}
