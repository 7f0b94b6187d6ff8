/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-in for libc of OpenBSD: mlock(2), munlock(2), msync(2), getrlimit(2); the order of checks from sys/uvm/uvm_mmap.c. */
#include "standin.h"

enum { O_ENOMEM = 12, O_EFAULT = 14, O_EINVAL = 22, O_EAGAIN = 35 };

static struct knob knobs[] = {
    {"memlock", -1, -1}, /* RLIMIT_MEMLOCK in bytes */
    {NULL, 0, 0},
};

static void standin_reset_system(void) {}

int getpagesize(void) {
    return (int)page_size();
}

static size_t rounded(char **start, size_t length) {
    uintptr_t mask = ~(uintptr_t)(page_size() - 1);
    uintptr_t from = (uintptr_t)*start & mask;
    uintptr_t to = ((uintptr_t)*start + length + page_size() - 1) & mask;
    *start = (char *)from;
    return to - from;
}

int mlock(const void *addr, size_t len) {
    struct rules rules = {-1, -1, O_EAGAIN, O_EAGAIN, O_ENOMEM, O_ENOMEM, O_ENOMEM, 0, 0};
    char *start = (char *)addr;
    int error = enter("mlock");
    if (error == 0 && wraps(start, len)) {
        error = O_EINVAL;
    }
    if (error == 0) {
        len = rounded(&start, len);
        /* What is locked already is charged again. */
        if (*knob("memlock") >= 0 && (long)len + status_bytes("VmLck:") > *knob("memlock")) {
            error = O_EAGAIN;
        }
    }
    if (error == 0) {
        error = lock_pages(start, len, &rules);
    }
    return error == 0 ? 0 : refuse(error);
}

int munlock(const void *addr, size_t len) {
    char *start = (char *)addr;
    int error = enter("munlock");
    if (error == 0 && wraps(start, len)) {
        error = O_EINVAL;
    }
    if (error == 0) {
        len = rounded(&start, len);
        error = unlock_pages(start, len, O_ENOMEM, 1);
    }
    return error == 0 ? 0 : refuse(error);
}

int mlockall(int flags) {
    (void)flags;
    return refuse(O_EINVAL);
}

int munlockall(void) {
    raw_munlockall();
    return 0;
}

int msync(void *addr, size_t len, int flags) {
    int error = enter("msync");
    if (error == 0 && flags != 1) {
        error = O_EINVAL;
    }
    if (error == 0 && any_hole(addr, len)) {
        error = O_EFAULT;
    }
    return error == 0 ? 0 : refuse(error);
}

int getrlimit(int resource, int64_t *limits) {
    if (resource != 6) {
        return refuse(O_EINVAL);
    }
    limits[0] = limits[1] = *knob("memlock") < 0 ? INT64_MAX : *knob("memlock");
    return 0;
}
