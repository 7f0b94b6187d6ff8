// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.support.BoundMemoryCalls;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.MemoryCalls;

/** Every C function that this backend calls, literally; one object, so that tests can script the whole kernel. */
interface LinuxCalls extends MemoryCalls {
    /** Whether the C library has {@code mlock2}: glibc from 2.27. The kernel may lack it all the same. */
    boolean hasMlock2();

    /** {@code int mlock2(const void *addr, size_t len, unsigned int flags)}: mlock2(2), Linux 4.4. */
    int mlock2(long addr, long len, int flags);

    /** {@code int mincore(void *addr, size_t length, unsigned char *vec)}: mincore(2), one byte for each page. */
    int mincore(long addr, long length, byte[] vec);

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

    /** What the last call of this thread left in errno; only after a failure. */
    int errno();

    static LinuxCalls bind(CLibrary library, int bits) {
        boolean lp64 = bits == 64;
        return new Bound(
                library,
                lp64 ? library.bind(new Lp64Calls()) : library.bind(new Ilp32Calls()),
                !library.has("mlock2")
                        ? null
                        : lp64 ? library.bind(new Lp64Mlock2()) : library.bind(new Ilp32Mlock2()));
    }

    /** What every C library of Linux has, beside MemoryCalls. */
    interface Always {
        int mincore(long addr, long length, byte[] vec);

        int madvise(long addr, long length, int advice);

        int open(byte[] pathname, int flags);

        int ioctl(int fd, long request, long[] argument);

        int close(int fd);
    }

    interface Mlock2 {
        int mlock2(long addr, long len, int flags);
    }

    final class Lp64Calls implements Always {
        @Override
        public native int mincore(long addr, long length, byte[] vec);

        @Override
        public native int madvise(long addr, long length, int advice);

        @Override
        public native int open(byte[] pathname, int flags);

        @Override
        public native int ioctl(int fd, long request, long[] argument);

        @Override
        public native int close(int fd);
    }

    final class Ilp32Calls implements Always {
        private native int mincore(int addr, int length, byte[] vec);

        private native int madvise(int addr, int length, int advice);

        @Override
        public native int open(byte[] pathname, int flags);

        private native int ioctl(int fd, int request, long[] argument);

        @Override
        public native int close(int fd);

        @Override
        public int mincore(long addr, long length, byte[] vec) {
            return mincore((int) addr, (int) length, vec);
        }

        @Override
        public int madvise(long addr, long length, int advice) {
            return madvise((int) addr, (int) length, advice);
        }

        @Override
        public int ioctl(int fd, long request, long[] argument) {
            return ioctl(fd, (int) request, argument);
        }
    }

    final class Lp64Mlock2 implements Mlock2 {
        @Override
        public native int mlock2(long addr, long len, int flags);
    }

    final class Ilp32Mlock2 implements Mlock2 {
        private native int mlock2(int addr, int len, int flags);

        @Override
        public int mlock2(long addr, long len, int flags) {
            return mlock2((int) addr, (int) len, flags);
        }
    }

    /** The calls of this process. */
    final class Bound extends BoundMemoryCalls implements LinuxCalls {
        private final CLibrary library;
        private final Always always;
        private final Mlock2 mlock2;
        private final String getrlimit;

        Bound(CLibrary library, Always always, Mlock2 mlock2) {
            super(library);
            this.library = library;
            this.always = always;
            this.mlock2 = mlock2;
            // glibc's plain getrlimit has 4-byte limits on 32-bit processors; musl has no other name, and always 8
            // bytes.
            this.getrlimit = library.has("getrlimit64") ? "getrlimit64" : "getrlimit";
        }

        @Override
        public boolean hasMlock2() {
            return mlock2 != null;
        }

        @Override
        public int mlock2(long addr, long len, int flags) {
            return mlock2.mlock2(addr, len, flags);
        }

        @Override
        public int mincore(long addr, long length, byte[] vec) {
            return always.mincore(addr, length, vec);
        }

        @Override
        public int madvise(long addr, long length, int advice) {
            return always.madvise(addr, length, advice);
        }

        @Override
        public int open(byte[] pathname, int flags) {
            return always.open(pathname, flags);
        }

        @Override
        public int ioctl(int fd, long request, long[] argument) {
            return always.ioctl(fd, request, argument);
        }

        @Override
        public int close(int fd) {
            return always.close(fd);
        }

        @Override
        public int getrlimit(int resource, long[] rlim) {
            return library.call(getrlimit, resource, rlim);
        }
    }
}
