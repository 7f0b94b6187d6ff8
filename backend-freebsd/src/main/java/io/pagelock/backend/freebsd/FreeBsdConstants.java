// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.support.ErrnoTable;

/**
 * FreeBSD's numbers. The same on every processor and, as far as it is not said otherwise, in 10.4, 12.3 and 14: sys/mman.h,
 * sys/resource.h, sys/signal.h, sys/event.h, sys/sysctl.h, sys/user.h and sys/errno.h there.
 */
final class FreeBsdConstants {
    static final int MCL_CURRENT = 1;
    static final int MCL_FUTURE = 2;

    static final int MS_SYNC = 0;
    static final int MS_ASYNC = 1;
    static final int MS_INVALIDATE = 2;

    static final int MADV_NOCORE = 8;
    static final int MADV_CORE = 9;

    static final int INHERIT_COPY = 1;
    static final int INHERIT_NONE = 2;
    static final int INHERIT_ZERO = 3;

    static final int MINCORE_INCORE = 1;

    static final int RLIMIT_MEMLOCK = 6;

    static final int SIGEV_NONE = 0;
    static final int SIGEV_KEVENT = 3;

    static final int AIO_CANCELED = 1;

    static final short EVFILT_USER = -11;
    static final short EV_ADD = 0x1;
    static final short EV_CLEAR = 0x20;
    static final int NOTE_TRIGGER = 0x01000000;

    static final int CTL_KERN = 1;
    static final int KERN_PROC = 14;
    static final int KERN_PROC_VMMAP = 32;

    static final int KVME_TYPE_VNODE = 2;
    static final int KVME_TYPE_GUARD = 9;
    static final int KVME_PROT_READ = 1;
    static final int KVME_PROT_EXEC = 4;
    static final int KVME_FLAG_USER_WIRED = 0x40;
    static final int KVME_FLAG_POSIXSHM = 0x100;
    static final int KF_ATTR_VALID = 1;

    /**
     * The release from which on kern.proc.vmmap is trusted to say what is wired. The flag is not in the header of 10.4 and is
     * in those of 12; in which 12 it came is not known, and a wrong no is worse than no answer.
     */
    static final long WIRED_FLAG_SINCE = 1203000;
    /** From 11 on, AIO is always in the kernel and takes lengths beyond INT_MAX in 64-bit processes. */
    static final long RELEASE_11 = 1100000;

    static final ErrnoTable ERRNO = ErrnoTable.builder()
            .put("EPERM", 1)
            .put("ENOENT", 2)
            .put("EINTR", 4)
            .put("EIO", 5)
            .put("EBADF", 9)
            .put("EDEADLK", 11)
            .put("ENOMEM", 12)
            .put("EACCES", 13)
            .put("EFAULT", 14)
            .put("EBUSY", 16)
            .put("EINVAL", 22)
            .put("ENFILE", 23)
            .put("EMFILE", 24)
            .put("ENOSPC", 28)
            .put("EAGAIN", 35)
            .put("EINPROGRESS", 36)
            .put("EOPNOTSUPP", 45)
            .put("ENOSYS", 78)
            .put("ECANCELED", 85)
            .put("ECAPMODE", 94)
            .build();

    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EBADF = 9;
    static final int ENOMEM = 12;
    static final int EINVAL = 22;
    static final int EAGAIN = 35;
    static final int EINPROGRESS = 36;
    static final int ECANCELED = 85;

    private FreeBsdConstants() {}
}
