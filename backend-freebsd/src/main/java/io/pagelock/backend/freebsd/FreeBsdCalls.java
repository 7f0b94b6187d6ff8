// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.DirectMemoryCalls;
import io.pagelock.backend.support.MemoryCalls;
import io.pagelock.backend.support.MincoreCall;
import io.pagelock.backend.support.SizeT;
import java.lang.invoke.MethodHandles;

/** The C functions that every FreeBSD has. */
interface FreeBsdCalls extends MemoryCalls, MincoreCall {
    /** {@code int getrlimit(int resource, struct rlimit *rlp)}: soft, hard, 8 bytes each on every processor. */
    int getrlimit(int resource, long[] rlp);

    /** {@code int sysctlbyname(const char *name, void *oldp, size_t *oldlenp, const void *newp, size_t newlen)}: sysctl(3). */
    int sysctlbyname(byte[] name, byte[] oldp, @SizeT long[] oldlenp, long newp, long newlen);

    /** {@code int sysctl(const int *name, u_int namelen, void *oldp, size_t *oldlenp, const void *newp, size_t newlen)}. */
    int sysctl(int[] name, int namelen, byte[] oldp, @SizeT long[] oldlenp, long newp, long newlen);

    int geteuid();

    int getpid();

    static FreeBsdCalls bind(CLibrary library) {
        return library.bind(MethodHandles.lookup(), FreeBsdCalls.class, Direct::new);
    }

    /** The same where pointers have 8 bytes. */
    final class Direct extends DirectMemoryCalls implements FreeBsdCalls {
        Direct(CLibrary library) {
            super(library);
        }

        @Override
        public native int mincore(long addr, long len, byte[] vec);

        @Override
        public native int getrlimit(int resource, long[] rlp);

        @Override
        public native int sysctlbyname(byte[] name, byte[] oldp, long[] oldlenp, long newp, long newlen);

        @Override
        public native int sysctl(int[] name, int namelen, byte[] oldp, long[] oldlenp, long newp, long newlen);

        @Override
        public native int geteuid();

        @Override
        public native int getpid();
    }
}
