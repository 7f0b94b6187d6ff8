// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.support.ErrnoTable;

/**
 * Error numbers of Linux by processor. Source: {@code asm/errno.h} of the kernel's headers, Linux 6.1. Up to 34 they are the
 * same on all; on each of alpha, mips and sparc the rest differs.
 */
final class LinuxErrno {
    static final ErrnoTable GENERIC = common().put("EAGAIN", 11)
            .put("EWOULDBLOCK", 11)
            .put("ENOSYS", 38)
            .put("EOPNOTSUPP", 95)
            .put("ENOTSUP", 95)
            .put("EINPROGRESS", 115)
            .put("ECANCELED", 125)
            .build();

    static final ErrnoTable MIPS = common().put("EAGAIN", 11)
            .put("EWOULDBLOCK", 11)
            .put("ENOSYS", 89)
            .put("EOPNOTSUPP", 122)
            .put("ENOTSUP", 122)
            .put("EINPROGRESS", 150)
            .put("ECANCELED", 158)
            .build();

    static final ErrnoTable SPARC = common().put("EAGAIN", 11)
            .put("EWOULDBLOCK", 11)
            .put("ENOSYS", 90)
            .put("EOPNOTSUPP", 45)
            .put("ENOTSUP", 45)
            .put("EINPROGRESS", 36)
            .put("ECANCELED", 127)
            .build();

    static final ErrnoTable ALPHA = common().put("EAGAIN", 35)
            .put("EWOULDBLOCK", 35)
            .put("ENOSYS", 78)
            .put("EOPNOTSUPP", 45)
            .put("ENOTSUP", 45)
            .put("EINPROGRESS", 36)
            .put("ECANCELED", 131)
            .build();

    private LinuxErrno() {}

    private static ErrnoTable.Builder common() {
        return ErrnoTable.builder()
                .put("EPERM", 1)
                .put("ENOENT", 2)
                .put("EINTR", 4)
                .put("EIO", 5)
                .put("EBADF", 9)
                .put("ENOMEM", 12)
                .put("EACCES", 13)
                .put("EFAULT", 14)
                .put("EBUSY", 16)
                .put("EINVAL", 22)
                .put("ENOSPC", 28);
    }
}
