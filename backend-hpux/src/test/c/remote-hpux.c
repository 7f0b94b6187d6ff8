/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of HP-UX that its backend calls, passed on to a remote-agent. */
#define REMOTE_POSIX
#include "remote.h"

unsigned getegid(void) {
    return (unsigned)REMOTE0("getegid");
}

int getgroups(int count, gid_t *groups) {
    return (int)REMOTE("getgroups", WORD(count), OUT(groups, (size_t)count * sizeof *groups, "4"));
}

/* All entries, as many and as long as they are there; numbers and mask words have 4 bytes. */
int getprivgrp(int *list) {
    return (int)REMOTE("getprivgrp", OUT(list, REMOTE0("agent_privgrp_bytes"), "4"));
}
