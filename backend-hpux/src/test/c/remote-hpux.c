/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of HP-UX that its backend calls, passed on to a remote-agent. */
#include "remote.h"

int getpagesize(void) {
    return (int)REMOTE0("getpagesize");
}

unsigned geteuid(void) {
    return (unsigned)REMOTE0("geteuid");
}

unsigned getegid(void) {
    return (unsigned)REMOTE0("getegid");
}

int getgroups(int count, gid_t *groups) {
    return (int)REMOTE("getgroups", WORD(count), OUT(groups, (size_t)count * sizeof *groups, "4"));
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

/* All entries, as many and as long as they are there; numbers and mask words have 4 bytes. */
int getprivgrp(int *list) {
    return (int)REMOTE("getprivgrp", OUT(list, REMOTE0("agent_privgrp_bytes"), "4"));
}
