// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.support.BoundMemoryCalls;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.MemoryCalls;
import io.pagelock.backend.support.MincoreCall;

/**
 * The C functions that every FreeBSD has, literally, but that addresses and sizes are {@code long} here and go to C as wide
 * as its {@code size_t}. Look at {@link #errno} only after a failure, and then at once.
 */
interface FreeBsdCalls extends MemoryCalls, MincoreCall {
    /** {@code int getrlimit(int resource, struct rlimit *rlp)}: soft, hard, 8 bytes each on every processor. */
    int getrlimit(int resource, long[] rlp);

    /** {@code sysctlbyname(name, oldp, oldlenp, NULL, 0)}: sysctl(3); the name ends with a 0. */
    int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp);

    /** {@code sysctl(name, namelen, oldp, oldlenp, NULL, 0)}: sysctl(3). */
    int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp);

    int geteuid();

    int getpid();

    int errno();

    static FreeBsdCalls bind(CLibrary library, int bits) {
        return new Bound(library, bits == 64 ? library.bind(new Lp64Sysctl()) : library.bind(new Ilp32Sysctl()));
    }

    interface Sysctl {
        int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp);

        int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp);
    }

    final class Lp64Sysctl implements Sysctl {
        private native int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp, long newp, long newlen);

        private native int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp, long newp, long newlen);

        @Override
        public int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp) {
            return sysctlbyname(name, oldp, oldlenp, 0, 0);
        }

        @Override
        public int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp) {
            return sysctl(name, namelen, oldp, oldlenp, 0, 0);
        }
    }

    /** Where pointers and {@code size_t} have 4 bytes: a Java long would fill two arguments there. */
    final class Ilp32Sysctl implements Sysctl {
        private native int sysctlbyname(byte[] name, byte[] oldp, int[] oldlenp, int newp, int newlen);

        private native int sysctl(int[] name, int namelen, byte[] oldp, int[] oldlenp, int newp, int newlen);

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
    }

    /** The calls of this process. */
    final class Bound extends BoundMemoryCalls implements FreeBsdCalls {
        private final CLibrary library;
        private final MincoreCall mincore;
        private final Sysctl sysctl;

        Bound(CLibrary library, Sysctl sysctl) {
            super(library);
            this.library = library;
            this.sysctl = sysctl;
            mincore = library.mincoreCall();
        }

        @Override
        public int mincore(long addr, long len, byte[] vec) {
            return mincore.mincore(addr, len, vec);
        }

        @Override
        public int getrlimit(int resource, long[] rlp) {
            return library.call("getrlimit", resource, rlp);
        }

        @Override
        public int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp) {
            return sysctl.sysctlbyname(name, oldp, oldlenp);
        }

        @Override
        public int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp) {
            return sysctl.sysctl(name, namelen, oldp, oldlenp);
        }

        @Override
        public int geteuid() {
            return library.call("geteuid");
        }

        @Override
        public int getpid() {
            return library.call("getpid");
        }
    }
}
