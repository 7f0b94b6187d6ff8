// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/** The calls where pointers and {@code size_t} have 4 bytes: a Java long would fill two arguments there. */
final class Ilp32MemoryCalls implements MemoryCalls {
    private native int mlock(int addr, int len);

    private native int munlock(int addr, int len);

    private native int msync(int addr, int len, int flags);

    @Override
    public int mlock(long addr, long len) {
        return mlock((int) addr, (int) len);
    }

    @Override
    public int munlock(long addr, long len) {
        return munlock((int) addr, (int) len);
    }

    @Override
    public native int mlockall(int flags);

    @Override
    public native int munlockall();

    @Override
    public int msync(long addr, long len, int flags) {
        return msync((int) addr, (int) len, flags);
    }

    @Override
    public native int getpagesize();
}
