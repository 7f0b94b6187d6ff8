/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for libc of HP-UX 11i: mlock(2), munlock(2), mlockall(2), munlockall(2), msync(2), getprivgrp(2). Behaviour from
 * the manual pages of 11i v2 and v3. Where they print no numbers, those here are chosen, and some on purpose other than
 * anywhere else, so that a backend which guesses fails: two mask words, 48 groups.
 */
#include "standin.h"

enum { H_EPERM = 1, H_EAGAIN = 11, H_ENOMEM = 12, H_EBUSY = 16, H_EINVAL = 22 };
enum { MCL_CURRENT = 1, MCL_FUTURE = 2 };
enum { MS_SYNC = 1, MS_ASYNC = 2, MS_INVALIDATE = 4 };
enum { PRIV_MLOCK = 2, PRIV_MAXGRPS = 48, PRIV_MASKSIZ = 2, PRIV_NONE = -1, PRIV_GLOBAL = -2 };

struct privgrp_map {
    int priv_groupno;
    unsigned priv_mask[PRIV_MASKSIZ];
};

static struct knob knobs[] = {
    {"privileged", 1, 1},     /* the caller may lock, by whatever means */
    {"euid", 101, 101},
    {"system_limit", -1, -1}, /* lockable memory */
    {"mlock_group", -1, -1},  /* the group that getprivgrp says has MLOCK */
    {"mlock_global", 0, 0},   /* whether every group has */
    {"groups", 0, 0},         /* the supplementary group of the caller besides 20, if not 0 */
    {NULL, 0, 0},
};

static int future;

static void standin_reset_system(void) {
    future = 0;
}

int getpagesize(void) {
    return (int)page_size();
}

/* Rounds outward, as the page says. */
static size_t rounded(char **start, size_t length) {
    uintptr_t mask = ~(uintptr_t)(page_size() - 1);
    uintptr_t from = (uintptr_t)*start & mask;
    uintptr_t to = ((uintptr_t)*start + length + page_size() - 1) & mask;
    *start = (char *)from;
    return to - from;
}

int mlock(const void *addr, size_t len) {
    struct rules rules = {-1, *knob("system_limit"), H_EAGAIN, H_EAGAIN, H_ENOMEM, H_ENOMEM, H_ENOMEM, 0, 0};
    char *start = (char *)addr;
    int error = enter("mlock");
    if (error == 0) {
        error = !*knob("privileged") ? H_EPERM : len == 0 ? H_EINVAL : wraps(start, len) ? H_ENOMEM : 0;
    }
    if (error == 0) {
        len = rounded(&start, len);
        error = lock_pages(start, len, &rules);
    }
    return error == 0 ? 0 : refuse(error);
}

int munlock(const void *addr, size_t len) {
    char *start = (char *)addr;
    int error = enter("munlock");
    if (error == 0) {
        error = !*knob("privileged") ? H_EPERM : len == 0 ? H_EINVAL : wraps(start, len) ? H_ENOMEM : 0;
    }
    if (error == 0) {
        len = rounded(&start, len);
        error = unlock_pages(start, len, H_ENOMEM, 1);
    }
    return error == 0 ? 0 : refuse(error);
}

int mlockall(int flags) {
    int error = enter("mlockall");
    if (error == 0) {
        error = !*knob("privileged")                                                       ? H_EPERM
            : (flags & ~(MCL_CURRENT | MCL_FUTURE)) != 0 || flags == 0                     ? H_EINVAL
            : (flags & MCL_CURRENT) && *knob("system_limit") >= 0
                && status_bytes("VmSize:") > *knob("system_limit")                         ? H_EAGAIN
                                                                                           : 0;
    }
    if (error == 0) {
        future = future || (flags & MCL_FUTURE);
        error = raw_mlockall(flags & MCL_CURRENT, future) == 0 ? 0 : H_EAGAIN;
    }
    return error == 0 ? 0 : refuse(error);
}

int munlockall(void) {
    int error = enter("munlockall");
    if (error == 0 && !*knob("privileged")) {
        error = H_EPERM;
    }
    if (error == 0) {
        future = 0;
        raw_munlockall();
    }
    return error == 0 ? 0 : refuse(error);
}

int msync(void *addr, size_t len, int flags) {
    int error = enter("msync");
    synced(flags & MS_ASYNC, flags & MS_INVALIDATE);
    if (error == 0 && ((flags & ~(MS_SYNC | MS_ASYNC | MS_INVALIDATE)) != 0 || (flags & (MS_SYNC | MS_ASYNC)) == 3)) {
        error = H_EINVAL;
    }
    if (error == 0 && any_hole(addr, len)) {
        error = H_ENOMEM;
    }
    if (error == 0 && (flags & MS_INVALIDATE) && any_locked(addr, len)) {
        error = H_EBUSY;
    }
    if (error == 0 && syscall(SYS_msync, addr, len, (flags & MS_ASYNC) ? LINUX_MS_ASYNC : LINUX_MS_SYNC) != 0) {
        error = H_EINVAL;
    }
    return error == 0 ? 0 : refuse(error);
}

/* Gaps in between, as the page warns. An ordinary user sees only its own groups; the knob decides what there is. */
int getprivgrp(struct privgrp_map *grplist) {
    int error = enter("getprivgrp");
    int i;
    if (error != 0) {
        return refuse(error);
    }
    for (i = 0; i < PRIV_MAXGRPS; i++) {
        grplist[i].priv_groupno = PRIV_NONE;
        /* Rubbish in a gap must not be read as a privilege. */
        grplist[i].priv_mask[0] = ~0u;
        grplist[i].priv_mask[1] = ~0u;
    }
    grplist[3].priv_groupno = 20;
    grplist[3].priv_mask[0] = 1u << 2;
    grplist[3].priv_mask[1] = 1u << 1;
    if (*knob("mlock_group") >= 0) {
        grplist[40].priv_groupno = (int)*knob("mlock_group");
        grplist[40].priv_mask[0] = 1u << (PRIV_MLOCK - 1);
        grplist[40].priv_mask[1] = 0;
    }
    grplist[47].priv_groupno = PRIV_GLOBAL;
    grplist[47].priv_mask[0] = *knob("mlock_global") ? 1u << (PRIV_MLOCK - 1) : 0;
    grplist[47].priv_mask[1] = 0;
    return 0;
}

int getgroups(int size, gid_t *list) {
    int count = *knob("groups") != 0;
    if (size > 0 && count > 0) {
        list[0] = (gid_t)*knob("groups");
    }
    return count;
}

gid_t getegid(void) {
    return 20;
}

uid_t geteuid(void) {
    return (uid_t)*knob("euid");
}

long standin_layout(const char *what) {
    return strcmp(what, "size") == 0 ? (long)sizeof(struct privgrp_map)
        : strcmp(what, "mask") == 0  ? (long)offsetof(struct privgrp_map, priv_mask)
                                     : (long)offsetof(struct privgrp_map, priv_groupno);
}
