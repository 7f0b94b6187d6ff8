/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for libc of IRIX 6.5: mlock(3C), mlockall(3C), mpin(2), msync(2). Behaviour from the manual pages; where they are
 * silent, the more troublesome one: a failed lock keeps what it had locked, an unlock stops at a hole.
 */
#include "standin.h"

enum { I_EAGAIN = 11, I_ENOMEM = 12, I_EBUSY = 16, I_EINVAL = 22 };
enum { MCL_CURRENT = 1, MCL_FUTURE = 2 };
enum { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 };

static struct knob knobs[] = {
    {"superuser", 0, 0},      /* not bound by maxlkmem */
    {"maxlkmem", -1, -1},     /* in bytes */
    {"resident", -1, -1},     /* the maximum resident size, which binds everyone */
    {"system_limit", -1, -1}, /* lockable memory */
    {NULL, 0, 0},
};

/* mpin counts per page, here for pages of the tests alone; the count goes when the page does. */
#define PINS 4096
static struct {
    char *page;
    int count;
} pins[PINS];

static int future;

static void standin_reset_system(void) {
    future = 0;
    memset(pins, 0, sizeof pins);
}

static int *pin_of(char *page) {
    int i;
    for (i = 0; i < PINS; i++) {
        if (pins[i].page == NULL) {
            pins[i].page = page;
        }
        if (pins[i].page == page) {
            if (state(page) != LOCKED) {
                pins[i].count = 0;
            }
            return &pins[i].count;
        }
    }
    abort();
}

int getpagesize(void) {
    return (int)page_size();
}

uid_t geteuid(void) {
    return *knob("superuser") ? 0 : 101;
}

static size_t rounded(char **start, size_t length) {
    uintptr_t mask = ~(uintptr_t)(page_size() - 1);
    uintptr_t from = (uintptr_t)*start & mask;
    uintptr_t to = ((uintptr_t)*start + length + page_size() - 1) & mask;
    *start = (char *)from;
    return to - from;
}

static long limit(void) {
    long resident = *knob("resident");
    long process = *knob("superuser") ? -1 : *knob("maxlkmem");
    return process < 0 || (resident >= 0 && resident < process) ? resident : process;
}

/* keeps: whether a failure leaves what was locked before it. For mpin it cannot, since nobody could undo that. */
static int lock_range(const void *addr, size_t len, int hole, int keeps) {
    struct rules rules = {limit(), *knob("system_limit"), I_ENOMEM, I_EAGAIN, hole, hole, hole, 0, keeps};
    char *start = (char *)addr;
    if (wraps(start, len)) {
        return hole;
    }
    len = rounded(&start, len);
    return lock_pages(start, len, &rules);
}

int mlock(const void *addr, size_t len) {
    int error = enter("mlock");
    error = error != 0 ? error : lock_range(addr, len, I_ENOMEM, 1);
    return error == 0 ? 0 : refuse(error);
}

int munlock(const void *addr, size_t len) {
    char *start = (char *)addr;
    int error = enter("munlock");
    if (error == 0) {
        len = rounded(&start, len);
        error = unlock_pages(start, len, I_ENOMEM, 0);
    }
    return error == 0 ? 0 : refuse(error);
}

int mpin(void *addr, size_t len) {
    char *start = addr;
    size_t i;
    int error = enter("mpin");
    size_t size = rounded(&start, len);
    if (error == 0 && any_hole(start, size)) {
        error = I_EINVAL;
    }
    if (error == 0) {
        for (i = 0; i < size; i += page_size()) {
            pin_of(start + i);
        }
        error = lock_range(addr, len, I_EINVAL, 0);
    }
    for (i = 0; error == 0 && i < size; i += page_size()) {
        ++*pin_of(start + i);
    }
    return error == 0 ? 0 : refuse(error);
}

int munpin(void *addr, size_t len) {
    char *start = addr;
    size_t i;
    int error = enter("munpin");
    size_t size = rounded(&start, len);
    if (error == 0 && any_hole(start, size)) {
        error = I_EINVAL;
    }
    for (i = 0; error == 0 && i < size; i += page_size()) {
        int *count = pin_of(start + i);
        if (*count > 0 && --*count == 0) {
            raw_munlock(start + i, page_size());
        }
    }
    return error == 0 ? 0 : refuse(error);
}

int mlockall(int flags) {
    int error = enter("mlockall");
    long size = status_bytes("VmSize:");
    if (error == 0) {
        error = flags == 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE)) != 0                         ? I_EINVAL
            : (flags & MCL_CURRENT) && limit() >= 0 && size > limit()                             ? I_ENOMEM
            : (flags & MCL_CURRENT) && *knob("system_limit") >= 0 && size > *knob("system_limit") ? I_EAGAIN
                                                                                                  : 0;
    }
    if (error == 0) {
        future = future || (flags & MCL_FUTURE);
        error = raw_mlockall(flags & MCL_CURRENT, future) == 0 ? 0 : I_EAGAIN;
    }
    return error == 0 ? 0 : refuse(error);
}

int munlockall(void) {
    int error = enter("munlockall");
    if (error == 0) {
        future = 0;
        raw_munlockall();
    }
    return error == 0 ? 0 : refuse(error);
}

int msync(void *addr, size_t len, int flags) {
    int error = enter("msync");
    synced(flags & MS_ASYNC, flags & MS_INVALIDATE);
    if (error == 0 && ((flags & ~(MS_SYNC | MS_ASYNC | MS_INVALIDATE)) != 0 || (flags & (MS_SYNC | MS_ASYNC)) == 5)) {
        error = I_EINVAL;
    }
    if (error == 0 && any_hole(addr, len)) {
        error = I_ENOMEM;
    }
    if (error == 0 && (flags & MS_INVALIDATE) && any_locked(addr, len)) {
        error = I_EBUSY;
    }
    if (error == 0 && syscall(SYS_msync, addr, len, (flags & MS_ASYNC) ? LINUX_MS_ASYNC : LINUX_MS_SYNC) != 0) {
        error = I_EINVAL;
    }
    return error == 0 ? 0 : refuse(error);
}
