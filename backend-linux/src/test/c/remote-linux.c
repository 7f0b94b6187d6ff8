/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of Linux that its backend calls, passed on to a remote-agent. */
#define REMOTE_POSIX
#include "remote.h"

int mlock2(const void *addr, size_t len, unsigned flags) {
    return (int)REMOTE("mlock2", SIZE(addr), SIZE(len), WORD((int)flags));
}

int madvise(void *addr, size_t len, int advice) {
    return (int)REMOTE("madvise", SIZE(addr), SIZE(len), WORD(advice));
}

int mincore(void *addr, size_t len, unsigned char *vec) {
    size_t page = (size_t)getpagesize();
    return (int)REMOTE("mincore", SIZE(addr), SIZE(len), OUT(vec, (len + page - 1) / page, "1"));
}

/* The agent's has 8 bytes for a limit on every processor. */
int getrlimit64(int resource, uint64_t *limits) {
    return (int)REMOTE("getrlimit", WORD(resource), OUT(limits, 16, "8"));
}

int open(const char *name, int flags, ...) {
    return (int)REMOTE("open", TEXT(name), WORD(flags));
}

/* With struct procmap_query, include/uapi/linux/fs.h. The size is in the request: include/uapi/asm-generic/ioctl.h. */
int ioctl(int fd, unsigned long request, void *argument) {
    return (int)REMOTE("ioctl", WORD(fd), SIZE(request), INOUT(argument, request >> 16 & 0x3fff, "888888888444488"));
}

int close(int fd) {
    return (int)REMOTE("close", WORD(fd));
}
