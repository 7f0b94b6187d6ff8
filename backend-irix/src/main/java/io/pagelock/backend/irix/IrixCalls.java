// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.backend.support.BoundMemoryCalls;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.MemoryCalls;

/** Every C function that this backend calls, literally; one object, so that tests can script the whole kernel. */
interface IrixCalls extends MemoryCalls {
    /** Whether libc has {@code mpin} and {@code munpin}. */
    boolean hasMpin();

    /** {@code int mpin(void *addr, size_t len)}: mpin(2). Counts per page. */
    int mpin(long addr, long len);

    /** {@code int munpin(void *addr, size_t len)}: mpin(2). */
    int munpin(long addr, long len);

    /** {@code uid_t geteuid(void)}: getuid(2). */
    int geteuid();

    /** What the last call of this thread left in errno; only after a failure. */
    int errno();

    static IrixCalls bind(CLibrary library, int bits) {
        Pin pin = !library.has("mpin") || !library.has("munpin")
                ? null
                : bits == 64 ? library.bind(new Lp64Pin()) : library.bind(new Ilp32Pin());
        return new Bound(library, pin);
    }

    interface Pin {
        int mpin(long addr, long len);

        int munpin(long addr, long len);
    }

    final class Lp64Pin implements Pin {
        @Override
        public native int mpin(long addr, long len);

        @Override
        public native int munpin(long addr, long len);
    }

    final class Ilp32Pin implements Pin {
        private native int mpin(int addr, int len);

        private native int munpin(int addr, int len);

        @Override
        public int mpin(long addr, long len) {
            return mpin((int) addr, (int) len);
        }

        @Override
        public int munpin(long addr, long len) {
            return munpin((int) addr, (int) len);
        }
    }

    /** The calls of this process. */
    final class Bound extends BoundMemoryCalls implements IrixCalls {
        private final CLibrary library;
        private final Pin pin;

        Bound(CLibrary library, Pin pin) {
            super(library);
            this.library = library;
            this.pin = pin;
        }

        @Override
        public boolean hasMpin() {
            return pin != null;
        }

        @Override
        public int mpin(long addr, long len) {
            return pin.mpin(addr, len);
        }

        @Override
        public int munpin(long addr, long len) {
            return pin.munpin(addr, len);
        }

        @Override
        public int geteuid() {
            return library.call("geteuid");
        }
    }
}
