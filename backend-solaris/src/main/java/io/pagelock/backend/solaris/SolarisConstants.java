// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.backend.support.ErrnoTable;

/**
 * Numbers of Solaris and illumos, the same on x86 and SPARC, in 32 and 64 bits. Source: illumos-gate as of March 2019,
 * {@code sys/mman.h}, {@code sys/errno.h}, {@code sys/rctl.h}, {@code sys/procfs.h}, {@code vm/seg.h}; those of mman and errno
 * agree with two other tables. What Oracle changed in Solaris 11 was not read.
 */
final class SolarisConstants {
    static final int MC_SYNC = 1;
    static final int MC_LOCK = 2;
    static final int MC_UNLOCK = 3;
    static final int MC_LOCKAS = 5;
    static final int MC_UNLOCKAS = 6;

    static final int MCL_CURRENT = 0x1;
    static final int MCL_FUTURE = 0x2;

    static final int MS_ASYNC = 0x1;
    static final int MS_INVALIDATE = 0x2;
    static final int MS_SYNC = 0x4;

    /** Bits that mincore sets for a page. Only the first is documented: mincore(2) leaves the others undefined. */
    static final int SEG_PAGE_INCORE = 0x01;

    static final int SEG_PAGE_LOCKED = 0x02;

    static final int RCTL_FIRST = 0;
    static final int RCTL_NEXT = 1;
    static final int RCTL_USAGE = 2;
    static final int RCPRIV_PRIVILEGED = 0x04000000;
    static final int RCTL_LOCAL_DENY = 0x2;

    static final int MA_NORESERVE = 0x100;

    static final ErrnoTable ERRNO = ErrnoTable.builder()
            .put("EPERM", 1)
            .put("ENOENT", 2)
            .put("EINTR", 4)
            .put("EIO", 5)
            .put("EBADF", 9)
            .put("EAGAIN", 11)
            .put("EWOULDBLOCK", 11)
            .put("ENOMEM", 12)
            .put("EACCES", 13)
            .put("EFAULT", 14)
            .put("EBUSY", 16)
            .put("EINVAL", 22)
            .put("ENOSPC", 28)
            .put("EDEADLK", 45)
            .put("ECANCELED", 47)
            .put("ENOTSUP", 48)
            .put("ENOSYS", 89)
            .put("EOPNOTSUPP", 122)
            .put("EINPROGRESS", 150)
            .build();

    private SolarisConstants() {}
}
