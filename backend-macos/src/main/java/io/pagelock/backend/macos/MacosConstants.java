// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import io.pagelock.backend.support.ErrnoTable;

/**
 * Numbers of macOS, the same on arm64 and x86-64. Source: Apple's xnu, {@code bsd/sys/mman.h}, {@code bsd/sys/errno.h},
 * {@code bsd/sys/resource.h}, {@code osfmk/mach/vm_region.h}; {@code dlfcn.h} of dyld. Those of mman, errno and resource agree with two
 * other tables.
 */
final class MacosConstants {
    static final int MS_ASYNC = 0x1;
    static final int MS_INVALIDATE = 0x2;
    static final int MS_SYNC = 0x10;

    static final int MINCORE_INCORE = 0x1;

    static final int RLIMIT_MEMLOCK = 6;

    static final int VM_REGION_BASIC_INFO_64 = 9;
    /**
     * The struct in ints: protection, max_protection, inheritance, shared, reserved, offset (8 bytes, packed to 4), behavior,
     * user_wired_count (2 bytes, and 2 of padding).
     */
    static final int VM_REGION_BASIC_INFO_COUNT_64 = 9;

    static final int USER_WIRED_COUNT = 8;

    static final int KERN_SUCCESS = 0;
    /** What mach_vm_region returns where nothing is mapped at the address or after it: {@code mach/kern_return.h}. */
    static final int KERN_INVALID_ADDRESS = 1;

    /** {@code (void *)-2} there. */
    static final long RTLD_DEFAULT = -2;

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
            .put("ENOSPC", 28)
            .put("EAGAIN", 35)
            .put("EINPROGRESS", 36)
            .put("ENOTSUP", 45)
            .put("ENOSYS", 78)
            .put("ECANCELED", 89)
            .put("EOPNOTSUPP", 102)
            .build();

    private MacosConstants() {}
}
