// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.MincoreCall;

/** Every C function that this backend calls, literally; one object, so that tests can script the whole kernel. */
interface SolarisCalls extends MincoreCall {
    /** The function that {@link #memcntl} goes through: {@code memcntl} of libc or {@code mctl} of libucb. */
    String control();

    /** {@code int memcntl(caddr_t addr, size_t len, int cmd, caddr_t arg, int attr, int mask)}: memcntl(2), SVR4. */
    int memcntl(long addr, long len, int cmd, long arg, int attr, int mask);

    /** {@code int getpagesize(void)}: getpagesize(3C). */
    int getpagesize();

    /** Whether libc has {@code priv_ineffect}: since Solaris 10. */
    boolean hasPrivileges();

    /** {@code boolean_t priv_ineffect(const char *priv)}: priv_set(3C). */
    int priv_ineffect(byte[] priv);

    /** Whether libc has {@code getrctl}: since Solaris 9. */
    boolean hasResourceControls();

    /** {@code size_t rctlblk_size(void)}: rctlblk_set_value(3C). */
    int rctlblk_size();

    /** {@code int getrctl(const char *controlname, rctlblk_t *old_blk, rctlblk_t *new_blk, uint_t flags)}: getrctl(2). */
    int getrctl(byte[] controlname, byte[] oldBlock, byte[] newBlock, int flags);

    /** {@code rctl_qty_t rctlblk_get_value(rctlblk_t *rblk)}: 64 bits, unsigned. */
    long rctlblk_get_value(byte[] block);

    /** {@code rctl_priv_t rctlblk_get_privilege(rctlblk_t *rblk)}. */
    int rctlblk_get_privilege(byte[] block);

    /** {@code uint_t rctlblk_get_local_action(rctlblk_t *rblk, int *signalp)}. */
    int rctlblk_get_local_action(byte[] block, int[] signalp);

    /** What the last call of this thread left in errno; only after a failure. */
    int errno();

    /**
     * Binds the calls.
     *
     * @param libc the C library
     * @param libucb the BSD library, whose {@code mctl} then takes the place of {@code memcntl}; or null
     */
    static SolarisCalls bind(CLibrary libc, CLibrary libucb, int bits) {
        boolean lp64 = bits == 64;
        return new Bound(
                libc,
                libucb == null
                        ? (lp64 ? libc.bind(new Lp64Memcntl()) : libc.bind(new Ilp32Memcntl()))
                        : new MctlAsMemcntl(lp64 ? libucb.bind(new Lp64Mctl()) : libucb.bind(new Ilp32Mctl())),
                libc.mincoreCall(),
                libc.has("getrctl") ? libc.bind(new ResourceControlCalls()) : null);
    }

    interface Memcntl {
        int memcntl(long addr, long len, int cmd, long arg, int attr, int mask);
    }

    interface Mctl {
        /** {@code int mctl(caddr_t addr, size_t len, int function, int arg)}: the last one is an int. */
        int mctl(long addr, long len, int function, int arg);
    }

    final class Lp64Memcntl implements Memcntl {
        @Override
        public native int memcntl(long addr, long len, int cmd, long arg, int attr, int mask);
    }

    final class Ilp32Memcntl implements Memcntl {
        private native int memcntl(int addr, int len, int cmd, int arg, int attr, int mask);

        @Override
        public int memcntl(long addr, long len, int cmd, long arg, int attr, int mask) {
            return memcntl((int) addr, (int) len, cmd, (int) arg, attr, mask);
        }
    }

    final class Lp64Mctl implements Mctl {
        @Override
        public native int mctl(long addr, long len, int function, int arg);
    }

    final class Ilp32Mctl implements Mctl {
        private native int mctl(int addr, int len, int function, int arg);

        @Override
        public int mctl(long addr, long len, int function, int arg) {
            return mctl((int) addr, (int) len, function, arg);
        }
    }

    final class ResourceControlCalls {
        native int getrctl(byte[] controlname, byte[] oldBlock, byte[] newBlock, int flags);

        native long rctlblk_get_value(byte[] block);

        native int rctlblk_get_privilege(byte[] block);

        native int rctlblk_get_local_action(byte[] block, int[] signalp);
    }

    /** libucb calls memcntl itself, with no attributes and no mask. */
    final class MctlAsMemcntl implements Memcntl {
        private final Mctl mctl;

        MctlAsMemcntl(Mctl mctl) {
            this.mctl = mctl;
        }

        @Override
        public int memcntl(long addr, long len, int cmd, long arg, int attr, int mask) {
            return mctl.mctl(addr, len, cmd, (int) arg);
        }
    }

    /** The calls of this process. */
    final class Bound implements SolarisCalls {
        private final CLibrary libc;
        private final Memcntl memcntl;
        private final MincoreCall mincore;
        private final ResourceControlCalls rctl;
        private final boolean privileges;

        Bound(CLibrary libc, Memcntl memcntl, MincoreCall mincore, ResourceControlCalls rctl) {
            this.libc = libc;
            this.memcntl = memcntl;
            this.mincore = mincore;
            this.rctl = rctl;
            privileges = libc.has("priv_ineffect");
        }

        @Override
        public String control() {
            return memcntl instanceof MctlAsMemcntl ? "mctl" : "memcntl";
        }

        @Override
        public int memcntl(long addr, long len, int cmd, long arg, int attr, int mask) {
            return memcntl.memcntl(addr, len, cmd, arg, attr, mask);
        }

        @Override
        public int mincore(long addr, long len, byte[] vec) {
            return mincore.mincore(addr, len, vec);
        }

        @Override
        public int getpagesize() {
            return libc.call("getpagesize");
        }

        @Override
        public boolean hasPrivileges() {
            return privileges;
        }

        @Override
        public int priv_ineffect(byte[] priv) {
            return libc.call("priv_ineffect", (Object) priv);
        }

        @Override
        public boolean hasResourceControls() {
            return rctl != null;
        }

        @Override
        public int rctlblk_size() {
            return libc.call("rctlblk_size");
        }

        @Override
        public int getrctl(byte[] controlname, byte[] oldBlock, byte[] newBlock, int flags) {
            return rctl.getrctl(controlname, oldBlock, newBlock, flags);
        }

        @Override
        public long rctlblk_get_value(byte[] block) {
            return rctl.rctlblk_get_value(block);
        }

        @Override
        public int rctlblk_get_privilege(byte[] block) {
            return rctl.rctlblk_get_privilege(block);
        }

        @Override
        public int rctlblk_get_local_action(byte[] block, int[] signalp) {
            return rctl.rctlblk_get_local_action(block, signalp);
        }

        @Override
        public int errno() {
            return libc.errno();
        }
    }
}
