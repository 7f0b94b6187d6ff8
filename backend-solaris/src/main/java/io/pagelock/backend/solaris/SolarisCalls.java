// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.backend.support.MayBeMissing;
import io.pagelock.backend.support.MincoreCall;
import io.pagelock.backend.support.NativeCalls;

/** Every C function of libc that this backend calls. */
interface SolarisCalls extends MincoreCall {
    /** {@code int memcntl(caddr_t addr, size_t len, int cmd, caddr_t arg, int attr, int mask)}: memcntl(2), SVR4. */
    int memcntl(long addr, long len, int cmd, long arg, int attr, int mask);

    /** {@code int getpagesize(void)}: getpagesize(3C). */
    int getpagesize();

    /** {@code boolean_t priv_ineffect(const char *priv)}: priv_set(3C), since Solaris 10. */
    @MayBeMissing
    int priv_ineffect(byte[] priv);

    /** {@code size_t rctlblk_size(void)}: rctlblk_set_value(3C). */
    @MayBeMissing
    int rctlblk_size();

    /**
     * {@code int getrctl(const char *controlname, rctlblk_t *old_blk, rctlblk_t *new_blk, uint_t flags)}: getrctl(2), since
     * Solaris 9, as are the other functions for resource controls.
     */
    @MayBeMissing
    int getrctl(byte[] controlname, byte[] oldBlock, byte[] newBlock, int flags);

    /** {@code rctl_qty_t rctlblk_get_value(rctlblk_t *rblk)}: 64 bits, unsigned. */
    @MayBeMissing
    long rctlblk_get_value(byte[] block);

    /** {@code rctl_priv_t rctlblk_get_privilege(rctlblk_t *rblk)}. */
    @MayBeMissing
    int rctlblk_get_privilege(byte[] block);

    /** {@code uint_t rctlblk_get_local_action(rctlblk_t *rblk, int *signalp)}. */
    @MayBeMissing
    int rctlblk_get_local_action(byte[] block, int[] signalp);

    /** Of libucb, which calls memcntl itself, with no attributes and no mask. */
    interface Ucb extends NativeCalls {
        /** {@code int mctl(caddr_t addr, size_t len, int function, int arg)}: mctl(3UCB); the last one is an int. */
        int mctl(long addr, long len, int function, int arg);
    }
}
