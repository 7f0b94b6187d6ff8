// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.DirectMemoryCalls;
import io.pagelock.backend.support.MayBeMissing;
import io.pagelock.backend.support.MemoryCalls;
import io.pagelock.backend.support.MincoreCall;
import java.lang.invoke.MethodHandles;
import java.util.function.Function;

/** Every C function that this backend calls. */
interface LinuxCalls extends MemoryCalls, MincoreCall {
    /** {@code int mlock2(const void *addr, size_t len, unsigned int flags)}: mlock2(2), glibc 2.27; the kernel may lack it. */
    @MayBeMissing
    int mlock2(long addr, long len, int flags);

    /** {@code int madvise(void *addr, size_t length, int advice)}: madvise(2). */
    int madvise(long addr, long length, int advice);

    /** {@code int getrlimit(int resource, struct rlimit *rlim)} with 64-bit limits: soft, hard. */
    int getrlimit(int resource, long[] rlim);

    /** {@code int open(const char *pathname, int flags)}, the name ended by a zero byte. */
    int open(byte[] pathname, int flags);

    /** {@code int ioctl(int fd, unsigned long request, void *argument)}. */
    int ioctl(int fd, long request, long[] argument);

    /** {@code int close(int fd)}. */
    int close(int fd);

    static LinuxCalls bind(CLibrary library) {
        // glibc's plain getrlimit has 4-byte limits on 32-bit processors; musl has no other name, and always 8 bytes.
        CLibrary wide = library.has("getrlimit64") ? library.renaming("getrlimit", "getrlimit64") : library;
        return wide.bind(MethodHandles.lookup(), LinuxCalls.class, new Function<CLibrary, LinuxCalls>() {
            @Override
            public LinuxCalls apply(CLibrary bound) {
                return new Direct(bound);
            }
        });
    }

    /** The same where pointers have 8 bytes. */
    final class Direct extends DirectMemoryCalls implements LinuxCalls {
        Direct(CLibrary library) {
            super(library);
        }

        @Override
        public native int mlock2(long addr, long len, int flags);

        @Override
        public native int mincore(long addr, long len, byte[] vec);

        @Override
        public native int madvise(long addr, long length, int advice);

        @Override
        public native int getrlimit(int resource, long[] rlim);

        @Override
        public native int open(byte[] pathname, int flags);

        @Override
        public native int ioctl(int fd, long request, long[] argument);

        @Override
        public native int close(int fd);
    }
}
