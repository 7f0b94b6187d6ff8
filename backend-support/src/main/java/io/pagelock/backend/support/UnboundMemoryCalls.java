// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/** The locking calls by name: slower than bound ones, and there at once. */
final class UnboundMemoryCalls implements MemoryCalls {
    private final CLibrary library;

    UnboundMemoryCalls(CLibrary library) {
        this.library = library;
    }

    @Override
    public int mlock(long addr, long len) {
        return library.call("mlock", library.size(addr), library.size(len));
    }

    @Override
    public int munlock(long addr, long len) {
        return library.call("munlock", library.size(addr), library.size(len));
    }

    @Override
    public int mlockall(int flags) {
        return library.call("mlockall", flags);
    }

    @Override
    public int munlockall() {
        return library.call("munlockall");
    }

    @Override
    public int msync(long addr, long len, int flags) {
        return library.call("msync", library.size(addr), library.size(len), flags);
    }

    @Override
    public int getpagesize() {
        return library.call("getpagesize");
    }
}
