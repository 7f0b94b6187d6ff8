// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.pagelock.backend.support.MemoryCalls;

/**
 * The C functions that every FreeBSD has, literally, but that addresses and sizes are {@code long} here and go to C as wide
 * as its {@code size_t}. Look at {@link #errno} only after a failure, and then at once.
 */
interface FreeBsdCalls extends MemoryCalls {
    /** {@code int mincore(const void *addr, size_t len, char *vec)}: mincore(2), one byte for each page. */
    int mincore(long addr, long len, byte[] vec);

    /** {@code int getrlimit(int resource, struct rlimit *rlp)}: soft, hard, 8 bytes each on every processor. */
    int getrlimit(int resource, long[] rlp);

    /** {@code sysctlbyname(name, oldp, oldlenp, NULL, 0)}: sysctl(3); the name ends with a 0. */
    int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp);

    /** {@code sysctl(name, namelen, oldp, oldlenp, NULL, 0)}: sysctl(3). */
    int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp);

    int geteuid();

    int getpid();

    int errno();

    static FreeBsdCalls bind(NativeLibrary library, int bits) {
        FreeBsdCalls calls = bits == 64 ? new Lp64() : new Ilp32();
        Native.register(calls.getClass(), library);
        return calls;
    }

    final class Lp64 implements FreeBsdCalls {
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
        public native int mincore(long addr, long len, byte[] vec);

        @Override
        public native int getrlimit(int resource, long[] rlp);

        private native int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp, long newp, long newlen);

        private native int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp, long newp, long newlen);

        @Override
        public native int geteuid();

        @Override
        public native int getpid();

        @Override
        public int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp) {
            return sysctlbyname(name, oldp, oldlenp, 0, 0);
        }

        @Override
        public int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp) {
            return sysctl(name, namelen, oldp, oldlenp, 0, 0);
        }

        @Override
        public int errno() {
            return Native.getLastError();
        }
    }

    /** Where pointers and {@code size_t} have 4 bytes: a Java long would fill two arguments there. */
    final class Ilp32 implements FreeBsdCalls {
        private native int mlock(int addr, int len);

        private native int munlock(int addr, int len);

        @Override
        public native int mlockall(int flags);

        @Override
        public native int munlockall();

        private native int msync(int addr, int len, int flags);

        @Override
        public native int getpagesize();

        private native int mincore(int addr, int len, byte[] vec);

        @Override
        public native int getrlimit(int resource, long[] rlp);

        private native int sysctlbyname(byte[] name, byte[] oldp, int[] oldlenp, int newp, int newlen);

        private native int sysctl(int[] name, int namelen, byte[] oldp, int[] oldlenp, int newp, int newlen);

        @Override
        public native int geteuid();

        @Override
        public native int getpid();

        @Override
        public int mlock(long addr, long len) {
            return mlock((int) addr, (int) len);
        }

        @Override
        public int munlock(long addr, long len) {
            return munlock((int) addr, (int) len);
        }

        @Override
        public int msync(long addr, long len, int flags) {
            return msync((int) addr, (int) len, flags);
        }

        @Override
        public int mincore(long addr, long len, byte[] vec) {
            return mincore((int) addr, (int) len, vec);
        }

        @Override
        public int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp) {
            int[] narrow = {(int) oldlenp[0]};
            int result = sysctlbyname(name, oldp, narrow, 0, 0);
            oldlenp[0] = narrow[0] & 0xffffffffL;
            return result;
        }

        @Override
        public int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp) {
            int[] narrow = {(int) oldlenp[0]};
            int result = sysctl(name, namelen, oldp, narrow, 0, 0);
            oldlenp[0] = narrow[0] & 0xffffffffL;
            return result;
        }

        @Override
        public int errno() {
            return Native.getLastError();
        }
    }
}
