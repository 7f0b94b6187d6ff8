/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of IRIX that its backend calls, passed on to a remote-agent. */
#include "remote.h"

int getpagesize(void) {
    return (int)REMOTE0("getpagesize");
}

unsigned geteuid(void) {
    return (unsigned)REMOTE0("geteuid");
}

int mlock(const void *addr, size_t len) {
    return (int)REMOTE("mlock", SIZE(addr), SIZE(len));
}

int munlock(const void *addr, size_t len) {
    return (int)REMOTE("munlock", SIZE(addr), SIZE(len));
}

int mlockall(int flags) {
    return (int)REMOTE("mlockall", WORD(flags));
}

int munlockall(void) {
    return (int)REMOTE0("munlockall");
}

int msync(void *addr, size_t len, int flags) {
    return (int)REMOTE("msync", SIZE(addr), SIZE(len), WORD(flags));
}

int mpin(void *addr, size_t len) {
    return (int)REMOTE("mpin", SIZE(addr), SIZE(len));
}

int munpin(void *addr, size_t len) {
    return (int)REMOTE("munpin", SIZE(addr), SIZE(len));
}
