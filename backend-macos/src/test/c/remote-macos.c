/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of macOS that its backend calls, passed on to a remote-agent. */
#define REMOTE_POSIX
#include "remote.h"

int mincore(const void *addr, size_t len, char *vec) {
    size_t page = (size_t)getpagesize();
    return (int)REMOTE("mincore", SIZE(addr), SIZE(len), OUT(vec, (len + page - 1) / page, "1"));
}

int getrlimit(int resource, int64_t *limits) {
    return (int)REMOTE("getrlimit", WORD(resource), OUT(limits, 16, "8"));
}

/* All that is asked for is a number, of 4 bytes or of 8; both machines have one order of bytes, as all that run macOS. */
int sysctlbyname(const char *name, void *oldp, size_t *oldlenp, const void *newp, size_t newlen) {
    (void)newp;
    return (int)REMOTE("sysctlbyname", TEXT(name), OUT(oldp, *oldlenp, "1"), INOUT(oldlenp, sizeof *oldlenp, "8"), NOTHING,
        SIZE(newlen));
}

/* The variable, read there. The caller reads it here. */
static unsigned mach_task_self_here;

void *dlsym(void *handle, const char *symbol) {
    (void)handle;
    if (strcmp(symbol, "mach_task_self_") != 0) {
        return NULL;
    }
    mach_task_self_here = (unsigned)REMOTE0("mach_task_self");
    return &mach_task_self_here;
}

int mach_vm_region(unsigned task, uint64_t *address, uint64_t *size, int flavor, int *info, unsigned *count, unsigned *name) {
    return (int)REMOTE("mach_vm_region", WORD((int)task), INOUT(address, 8, "8"), OUT(size, 8, "8"), WORD(flavor),
        OUT(info, *count * 4, "444444442"), INOUT(count, 4, "4"), OUT(name, 4, "4"));
}
