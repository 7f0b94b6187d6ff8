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
        return new Bound(library, bits);
    }

    interface Mlock2 {
        int mlock2(long addr, long len, int flags);
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

    /** What locking a large range takes besides, step after step. */
    interface Paging {
        int madvise(long addr, long length, int advice);

        int open(byte[] pathname, int flags);

        int ioctl(int fd, long request, long[] argument);

        int close(int fd);
    }

    final class Lp64Paging implements Paging {
        @Override
        public native int madvise(long addr, long length, int advice);

        @Override
        public native int open(byte[] pathname, int flags);

        @Override
        public native int ioctl(int fd, long request, long[] argument);

        @Override
        public native int close(int fd);
    }

    final class Ilp32Paging implements Paging {
        private native int madvise(int addr, int length, int advice);

        private native int ioctl(int fd, int request, long[] argument);

        @Override
        public int madvise(long addr, long length, int advice) {
            return madvise((int) addr, (int) length, advice);
        }

        @Override
        public native int open(byte[] pathname, int flags);

        @Override
        public int ioctl(int fd, long request, long[] argument) {
            return ioctl(fd, (int) request, argument);
        }

        @Override
        public native int close(int fd);
    }

    /** The calls of this process. Those by name are rare, or come before those for large ranges are bound. */
    final class Bound extends BoundMemoryCalls implements LinuxCalls {
        private final CLibrary library;
        private final String getrlimit;
        private final Mlock2 mlock2;
        private final int bits;
        /**
         * Bound once for the process, and only when a large range is paged in: it takes some 10 ms in a cold JVM, and maps some
         * pages, which may come to lie in a hole that somebody keeps an eye on.
         */
        private static volatile Paging paging;

        Bound(CLibrary library, int bits) {
            super(library);
            this.library = library;
            this.bits = bits;
            // glibc's plain getrlimit has 4-byte limits on 32-bit processors; musl has no other name, and always 8
            // bytes.
            this.getrlimit = library.has("getrlimit64") ? "getrlimit64" : "getrlimit";
            if (!library.has("mlock2")) {
                mlock2 = null;
            } else {
                mlock2 = bits == 64 ? library.bind(new Lp64Mlock2()) : library.bind(new Ilp32Mlock2());
            }
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
            return library.call("mincore", library.size(addr), library.size(length), vec);
        }

        private static synchronized Paging bindPaging(CLibrary library, int bits) {
            if (paging == null) {
                paging = bits == 64 ? library.bind(new Lp64Paging()) : library.bind(new Ilp32Paging());
            }
            return paging;
        }

        @Override
        public int madvise(long addr, long length, int advice) {
            // Of no bytes when the backend opens, to see what the kernel knows.
            if (length == 0) {
                return library.call("madvise", library.size(addr), library.size(length), advice);
            }
            Paging bound = paging;
            return (bound == null ? bindPaging(library, bits) : bound).madvise(addr, length, advice);
        }

        @Override
        public int open(byte[] pathname, int flags) {
            Paging bound = paging;
            return bound == null ? library.call("open", pathname, flags) : bound.open(pathname, flags);
        }

        @Override
        public int ioctl(int fd, long request, long[] argument) {
            Paging bound = paging;
            return bound == null
                    ? library.call("ioctl", fd, library.size(request), argument)
                    : bound.ioctl(fd, request, argument);
        }

        @Override
        public int close(int fd) {
            Paging bound = paging;
            return bound == null ? library.call("close", fd) : bound.close(fd);
        }

        @Override
        public int getrlimit(int resource, long[] rlim) {
            return library.call(getrlimit, resource, rlim);
        }
    }
}
