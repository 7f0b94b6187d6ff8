/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what LinuxConstants and LinuxErrno hold, from the headers of the system: name and number. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <linux/capability.h>

#define PRINT(name) printf("%s %d\n", #name, (int)(name))

int main(void)
{
    PRINT(MCL_CURRENT);
    PRINT(MCL_FUTURE);
    PRINT(MCL_ONFAULT);
    PRINT(MLOCK_ONFAULT);
    PRINT(MS_ASYNC);
    PRINT(MS_INVALIDATE);
    PRINT(MS_SYNC);
    PRINT(RLIMIT_MEMLOCK);
    PRINT(CAP_IPC_LOCK);
    PRINT(CAP_FOWNER);
    PRINT(EPERM);
    PRINT(ENOENT);
    PRINT(EINTR);
    PRINT(EIO);
    PRINT(EBADF);
    PRINT(EAGAIN);
    PRINT(EWOULDBLOCK);
    PRINT(ENOMEM);
    PRINT(EACCES);
    PRINT(EFAULT);
    PRINT(EBUSY);
    PRINT(EINVAL);
    PRINT(ENOSPC);
    PRINT(ENOSYS);
    PRINT(EOPNOTSUPP);
    PRINT(ENOTSUP);
    PRINT(EINPROGRESS);
    PRINT(ECANCELED);
    return 0;
}
