/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of FreeBSD that its backend calls, passed on to a remote-agent. Control blocks of AIO live in the agent, since
 * the kernel finds a job by its address; here each address stands for the one there.
 */
#define REMOTE_POSIX
#include "remote.h"

enum { EVFILT_AIO = -3, EINVAL_HERE = 22 };

/* Nothing describes all that sysctl fills in, so structures cross in one order only. */
static int other_order(void) {
    if (remote.swaps) {
        errno = EINVAL_HERE;
    }
    return remote.swaps;
}

int getpid(void) {
    return (int)REMOTE0("getpid");
}

int mincore(const void *addr, size_t len, char *vec) {
    size_t page = (size_t)getpagesize();
    return (int)REMOTE("mincore", SIZE(addr), SIZE(len), OUT(vec, (len + page - 1) / page, "1"));
}

int mprotect(void *addr, size_t len, int protection) {
    return (int)REMOTE("mprotect", SIZE(addr), SIZE(len), WORD(protection));
}

int madvise(void *addr, size_t len, int advice) {
    return (int)REMOTE("madvise", SIZE(addr), SIZE(len), WORD(advice));
}

int minherit(void *addr, size_t len, int inherit) {
    return (int)REMOTE("minherit", SIZE(addr), SIZE(len), WORD(inherit));
}

int getrlimit(int resource, int64_t *limits) {
    return (int)REMOTE("getrlimit", WORD(resource), OUT(limits, 16, "8"));
}

#define LENGTH_UNITS (sizeof(size_t) == 8 ? "8" : "4")
#define OLD(p, length) (p == NULL || length == NULL ? NOTHING : OUT(p, *length, "1"))
#define OLD_LENGTH(length) (length == NULL ? NOTHING : INOUT(length, sizeof *length, LENGTH_UNITS))
#define NEW(p, length) (p == NULL ? NOTHING : IN(p, length, "1"))

int sysctlbyname(const char *name, void *oldp, size_t *oldlenp, const void *newp, size_t newlen) {
    return other_order() ? -1
                         : (int)REMOTE("sysctlbyname", TEXT(name), OLD(oldp, oldlenp), OLD_LENGTH(oldlenp),
                                   NEW(newp, newlen), SIZE(newlen));
}

int sysctl(const int *name, unsigned count, void *oldp, size_t *oldlenp, const void *newp, size_t newlen) {
    return other_order() ? -1
                         : (int)REMOTE("sysctl", IN(name, count * sizeof *name, "4"), WORD((int)count), OLD(oldp, oldlenp),
                                   OLD_LENGTH(oldlenp), NEW(newp, newlen), SIZE(newlen));
}

int cap_getmode(unsigned *mode) {
    return (int)REMOTE("cap_getmode", OUT(mode, sizeof *mode, "4"));
}

/* ---- AIO ---- */

struct block {
    const void *here;
    uint64_t there;
    struct block *next;
};

static struct block *blocks;
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;

/* sizeof(struct aiocb) of LP64, and the larger one of the two of ILP32. */
enum { BLOCK_SIZE = sizeof(void *) == 8 ? 160 : 104 };

static uint64_t there(const void *here) {
    struct block *each;
    uint64_t found = 0;
    pthread_mutex_lock(&blocks_lock);
    for (each = blocks; each != NULL && found == 0; each = each->next) {
        found = each->here == here ? each->there : 0;
    }
    pthread_mutex_unlock(&blocks_lock);
    return found;
}

static const void *here(uint64_t address) {
    struct block *each;
    const void *found = NULL;
    pthread_mutex_lock(&blocks_lock);
    for (each = blocks; each != NULL && found == NULL; each = each->next) {
        found = each->there == address ? each->here : NULL;
    }
    pthread_mutex_unlock(&blocks_lock);
    return found;
}

static void add_block(const void *of, uint64_t address) {
    struct block *block = malloc(sizeof *block);
    pthread_mutex_lock(&blocks_lock);
    block->here = of;
    block->there = address;
    block->next = blocks;
    blocks = block;
    pthread_mutex_unlock(&blocks_lock);
}

static void remove_block(const void *of) {
    struct block **at = &blocks;
    uint64_t address = 0;
    int saved = errno;
    pthread_mutex_lock(&blocks_lock);
    while (*at != NULL && (*at)->here != of) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct block *gone = *at;
        address = gone->there;
        *at = gone->next;
        free(gone);
    }
    pthread_mutex_unlock(&blocks_lock);
    if (address != 0) {
        REMOTE("agent_free", WIDE(address));
    }
    errno = saved;
}

/* The block is written anew when it is used again: a job may be tried more than once. */
int aio_mlock(void *block) {
    int64_t copy = REMOTE("agent_allocate", SIZE(BLOCK_SIZE));
    int result;
    if (copy == -1 || copy == 0 || other_order()) {
        return -1;
    }
    REMOTE("agent_write", WIDE(copy), IN(block, BLOCK_SIZE, "1"));
    /* Before the call: its end may be reported before it returns. */
    remove_block(block);
    add_block(block, (uint64_t)copy);
    result = (int)REMOTE("aio_mlock", WIDE(copy));
    if (result != 0) {
        remove_block(block);
    }
    return result;
}

int aio_error(const void *block) {
    return (int)REMOTE("aio_error", WIDE(there(block)));
}

ssize_t aio_return(void *block) {
    ssize_t result = (ssize_t)REMOTE("aio_return", WIDE(there(block)));
    remove_block(block);
    return result;
}

int aio_cancel(int fd, void *block) {
    return (int)REMOTE("aio_cancel", WORD(fd), WIDE(block == NULL ? 0 : there(block)));
}

#define TIMEOUT(p) (p == NULL ? NOTHING : IN(p, 2 * sizeof(long), LENGTH_UNITS))

int aio_suspend(const void *const list[], int count, const void *timeout) {
    uintptr_t copy[64];
    int i;
    if (count > 64) {
        errno = EINVAL_HERE;
        return -1;
    }
    for (i = 0; i < count; i++) {
        copy[i] = list[i] == NULL ? 0 : (uintptr_t)there(list[i]);
    }
    return (int)REMOTE("aio_suspend", IN(copy, (size_t)count * sizeof copy[0], LENGTH_UNITS), WORD(count), TIMEOUT(timeout));
}

/* ---- kqueue, as of FreeBSD 12 ---- */

struct event {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned fflags;
    int64_t data;
    void *udata;
    uint64_t ext[4];
};

int kqueue(void) {
    return (int)REMOTE0("kqueue");
}

int kevent(int queue, const struct event *changes, int change_count, struct event *events, int count, const void *timeout) {
    size_t size = (size_t)count * sizeof *events;
    int i;
    int result = (int)REMOTE("kevent", WORD(queue),
            change_count == 0 ? NOTHING : IN(changes, (size_t)change_count * sizeof *changes, "1"), WORD(change_count),
            count == 0 ? NOTHING : OUT(events, size, "1"), WORD(count), TIMEOUT(timeout));
    for (i = 0; i < result; i++) {
        if (events[i].filter == EVFILT_AIO) {
            events[i].ident = (uintptr_t)here(events[i].ident);
        }
    }
    return result;
}
