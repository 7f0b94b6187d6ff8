/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the stand-ins for other systems' C libraries share. A stand-in is one C file that includes this one and exports the
 * functions of its system, with that system's numbers and structures. It runs on Linux and really locks the pages, through
 * raw system calls, so that VmLck and smaps can be asked whether it did.
 *
 * The standin_ functions are for tests: they map memory, set limits and privileges, and order faults.
 */
#ifndef PAGELOCK_STANDIN_H
#define PAGELOCK_STANDIN_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers of the Linux underneath, under names that cannot be taken for the other system's. */
enum {
    LINUX_MS_ASYNC = MS_ASYNC,
    LINUX_MS_INVALIDATE = MS_INVALIDATE,
    LINUX_MS_SYNC = MS_SYNC,
    LINUX_MCL_CURRENT = MCL_CURRENT,
    LINUX_MCL_FUTURE = MCL_FUTURE,
    LINUX_EPERM = EPERM,
    LINUX_ENOMEM = ENOMEM,
    LINUX_EBUSY = EBUSY
};
#undef MS_ASYNC
#undef MS_INVALIDATE
#undef MS_SYNC
#undef MCL_CURRENT
#undef MCL_FUTURE
#undef MCL_ONFAULT

#include "standin-memory.h"

/* ---- knobs: what a test can turn; -1 is unlimited ---- */

struct knob {
    const char *name;
    long value;
    long initial;
};

/* Each stand-in lists its own, ended by an entry without name. */
static struct knob knobs[];

static pthread_mutex_t standin_lock = PTHREAD_MUTEX_INITIALIZER;

static long *knob(const char *name) {
    struct knob *each;
    for (each = knobs; each->name != NULL; each++) {
        if (strcmp(each->name, name) == 0) {
            return &each->value;
        }
    }
    fprintf(stderr, "stand-in: no knob %s\n", name);
    abort();
}

long standin_get(const char *name) {
    return *knob(name);
}

long standin_set(const char *name, long value) {
    long *at = knob(name);
    long old = *at;
    *at = value;
    return old;
}

/* ---- faults: the n-th call from now fails with an errno, or every call if n is 0 ---- */

static struct fault {
    char function[32];
    int nth;
    int error;
    long calls;
} faults[32];

static struct fault *fault_of(const char *function) {
    int i;
    for (i = 0; i < 32; i++) {
        if (faults[i].function[0] == 0) {
            strncpy(faults[i].function, function, sizeof faults[i].function - 1);
        }
        if (strcmp(faults[i].function, function) == 0) {
            return &faults[i];
        }
    }
    abort();
}

void standin_fail(const char *function, int nth, int error) {
    pthread_mutex_lock(&standin_lock);
    struct fault *at = fault_of(function);
    at->nth = nth;
    at->error = error;
    pthread_mutex_unlock(&standin_lock);
}

long standin_calls(const char *function) {
    return fault_of(function)->calls;
}

/* How a stand-in was last asked to write pages back: 1 sync, 2 async, 4 invalidate; 0 if it was not. */
static long last_sync;

static void synced(int async, int invalidate) {
    last_sync = (async ? 2 : 1) | (invalidate ? 4 : 0);
}

long standin_last_sync(void) {
    return last_sync;
}

static char held[32];
static volatile int arrived;
static volatile int released;

/* The next call of the function waits until standin_release. */
void standin_hold(const char *function) {
    pthread_mutex_lock(&standin_lock);
    arrived = 0;
    released = 0;
    strncpy(held, function, sizeof held - 1);
    pthread_mutex_unlock(&standin_lock);
}

int standin_arrived(void) {
    return arrived;
}

void standin_release(void) {
    released = 1;
}

/* Every exported call begins here: counts it, waits or fails if so ordered. Returns the errno, or 0. */
static int enter(const char *function) {
    int error = 0;
    int wait;
    pthread_mutex_lock(&standin_lock);
    struct fault *at = fault_of(function);
    at->calls++;
    wait = strcmp(held, function) == 0;
    if (wait) {
        held[0] = 0;
    }
    if (at->nth > 1) {
        at->nth--;
    } else {
        error = at->error;
        at->error = at->nth == 1 ? 0 : error;
    }
    pthread_mutex_unlock(&standin_lock);
    if (wait) {
        arrived = 1;
        while (!released) {
            usleep(500);
        }
    }
    return error;
}

static int refuse(int error) {
    errno = error;
    return -1;
}

/* ---- what the Linux underneath says ---- */

enum { UNMAPPED, UNLOCKED, LOCKED };

/* Linux refuses to invalidate locked pages, which tells about one page without reading smaps. */
static int state(const char *page) {
    int saved = errno;
    int result = UNLOCKED;
    if (syscall(SYS_msync, page, page_size(), LINUX_MS_ASYNC | LINUX_MS_INVALIDATE) != 0) {
        result = errno == LINUX_EBUSY ? LOCKED : UNMAPPED;
    }
    errno = saved;
    return result;
}

static int resident(const char *page) {
    unsigned char vector = 0;
    int saved = errno;
    int result = syscall(SYS_mincore, page, page_size(), &vector) == 0 && (vector & 1);
    errno = saved;
    return result;
}

static int past_end(const char *page) {
    struct mapping *at = mapping_at(page);
    struct stat status;
    return at != NULL && at->kind == FILE_BACKED && fstat(at->fd, &status) == 0
        && (uintptr_t)(page - at->start) >= (((uintptr_t)status.st_size + page_size() - 1) & -(uintptr_t)page_size());
}

static int never_touched(const char *page) {
    struct mapping *at = mapping_at(page);
    return at != NULL && at->kind == NORESERVE && !resident(page);
}

static long status_bytes(const char *field) {
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            kib = atol(line + strlen(field));
        }
    }
    fclose(file);
    return kib * 1024;
}

long standin_locked_bytes(void) {
    return status_bytes("VmLck:");
}

static int raw_mlock(const char *address, size_t length) {
    return (int)syscall(SYS_mlock, address, length);
}

static int raw_munlock(const char *address, size_t length) {
    return (int)syscall(SYS_munlock, address, length);
}

/*
 * Locks whole pages the way most systems do: all or nothing. The steps are those of the kernels: the process limit, then
 * page by page the mapping, the limit of the system and what cannot be paged in. Returns the errno of the other system, or
 * 0. What a skip function accepts is passed over with success.
 */
struct rules {
    long limit;          /* of the process or project; -1 is none */
    long system_limit;   /* -1 is none */
    int over_limit;
    int over_system;
    int hole;
    int past_end;        /* 0: passed over with the rest of the mapping */
    int unreadable;      /* 0: locked like others */
    int skip_untouched;  /* reserved pages that were never touched are passed over */
    int keeps;           /* a failure keeps what was locked before it */
};

static int lock_pages(char *start, size_t length, const struct rules *rules) {
    size_t page = page_size();
    size_t count = length / page;
    char *added = calloc(count == 0 ? 1 : count, 1);
    long charged = standin_locked_bytes();
    int error = 0;
    size_t i;
    for (i = 0; i < count && error == 0; i++) {
        char *at = start + i * page;
        int now = state(at);
        if (now == UNMAPPED) {
            error = rules->hole;
        } else if (past_end(at)) {
            error = rules->past_end;
        } else if (now == LOCKED) {
            if (!resident(at)) {
                raw_mlock(at, page);
            }
        } else if (rules->skip_untouched && never_touched(at)) {
            continue;
        } else if (rules->limit >= 0 && charged + (long)page > rules->limit) {
            error = rules->over_limit;
        } else if (rules->system_limit >= 0 && charged + (long)page > rules->system_limit) {
            error = rules->over_system;
        } else {
            int failed = raw_mlock(at, page);
            if (failed && state(at) != LOCKED) {
                /* The limit of the Linux underneath. */
                error = rules->over_system;
            } else {
                added[i] = 1;
                charged += (long)page;
                if (failed && rules->unreadable != 0) {
                    error = rules->unreadable;
                }
            }
        }
    }
    if (error != 0 && !rules->keeps) {
        for (i = 0; i < count; i++) {
            if (added[i]) {
                raw_munlock(start + i * page, page);
            }
        }
    }
    free(added);
    return error;
}

/* Unlocks until it meets a hole, or unlocks nothing if there is one. */
static int unlock_pages(char *start, size_t length, int hole, int nothing_if_hole) {
    size_t page = page_size();
    size_t i;
    if (nothing_if_hole) {
        for (i = 0; i < length; i += page) {
            if (state(start + i) == UNMAPPED) {
                return hole;
            }
        }
    }
    for (i = 0; i < length; i += page) {
        int now = state(start + i);
        if (now == UNMAPPED) {
            return hole;
        }
        if (now == LOCKED) {
            raw_munlock(start + i, page);
        }
    }
    return 0;
}

static int any_locked(char *start, size_t length) {
    size_t i;
    for (i = 0; i < length; i += page_size()) {
        if (state(start + i) == LOCKED) {
            return 1;
        }
    }
    return 0;
}

static int any_hole(char *start, size_t length) {
    size_t i;
    for (i = 0; i < length; i += page_size()) {
        if (state(start + i) == UNMAPPED) {
            return 1;
        }
    }
    return 0;
}

/* Like the kernel: everything that is mapped, whatever becomes of single pages. */
static int raw_mlockall(int current, int future) {
    return (int)syscall(SYS_mlockall, (current ? LINUX_MCL_CURRENT : 0) | (future ? LINUX_MCL_FUTURE : 0));
}

static int raw_munlockall(void) {
    return (int)syscall(SYS_munlockall);
}

static int wraps(const char *address, size_t length) {
    return (uintptr_t)address + length < (uintptr_t)address;
}

static void standin_reset_system(void);

void standin_reset(void) {
    struct knob *each;
    raw_munlockall();
    standin_release();
    standin_unmap_all();
    pthread_mutex_lock(&standin_lock);
    held[0] = 0;
    last_sync = 0;
    memset(faults, 0, sizeof faults);
    for (each = knobs; each->name != NULL; each++) {
        each->value = each->initial;
    }
    pthread_mutex_unlock(&standin_lock);
    standin_reset_system();
}

#endif
