// SPDX-License-Identifier: Apache-2.0
/*
 * A FreeBSD kernel and libc as far as page locking goes, on Linux. Exports FreeBSD's calls under their names, takes its
 * structures and constants, and leaves its errno numbers; answers as freebsd-golden.md says that 15.1 answered, and where
 * that says nothing, as semantics.md says that the source does. What is locked here is really locked by Linux: there is
 * no book of locked pages but the VM_LOCKED flag of the mappings, so VmLck and smaps are the witness.
 *
 * Not as on FreeBSD: other processes are numbers that a test sets; mappings that do not go through this file's mmap() are
 * locked by Linux under FUTURE, without the limit; a mapping here may be several map entries there.
 *
 * Linux is reached by system call numbers only, since the names belong to FreeBSD here.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64 /* so that stat knows every file on 32 bits */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

/* unistd.h would declare close() and others. */
#include "freebsd.h"
#include "standin-memory.h"

/* With an offset in bytes it is another call on i386, and takes a structure. */
#ifdef SYS_mmap2
#define MAP_PAGES(at, size, prot, flags, fd, offset) syscall(SYS_mmap2, at, size, prot, flags, fd, (long) ((offset) / PAGE))
#else
#define MAP_PAGES(at, size, prot, flags, fd, offset) syscall(SYS_mmap, at, size, prot, flags, fd, offset)
#endif

#ifdef SYS__llseek
#define SEEK(fd, at) (void) syscall(SYS__llseek, fd, (long) ((uint64_t) (at) >> 32), (long) (at), &(uint64_t) {0}, 0)
#else
#define SEEK(fd, at) (void) syscall(SYS_lseek, fd, at, 0)
#endif

#define LINUX_MADV_DONTDUMP 16
#define LINUX_MADV_DODUMP 17
#define LINUX_MADV_WIPEONFORK 18
#define LINUX_MADV_KEEPONFORK 19

#define PAGE 4096UL
#define TRUNC(x) ((x) & ~(PAGE - 1))
#define ROUND(x) (((x) + PAGE - 1) & ~(PAGE - 1))

static int fail(int number) {
    errno = number;
    return -1;
}

/* ---- What tests set and read ---- */

/* As wide as FreeBSD's rlim_t everywhere. */
static struct {
    int64_t limit_cur, limit_max;
    int64_t max_user_wired;
    int64_t others_wired; /* pages that other processes have wired */
    int64_t unprivileged_mlock, jailed, mlock_allowed, euid, capmode, old_mlock;
    int64_t osreldate;
    int64_t old_names; /* vm.max_wired instead of vm.max_user_wired */
    int64_t no_vmmap; /* kern.proc.vmmap is refused */
    int64_t aio_feature;
    int64_t max_aio_queue, max_aio_queue_per_proc;
    int64_t others_aio; /* jobs that other processes have queued */
    int64_t aio_delay_us; /* how long a worker waits before it locks */
    int64_t aio_hold; /* workers take jobs and do not begin: 1 all of them, more those of so many bytes */
    int64_t aio_queue_hold; /* workers take no jobs */
    int64_t nbytes_max;
    int64_t hold_mlock; /* the next lock, by mlock or by a job, waits ... */
    int64_t held; /* ... and is counted here ... */
    int64_t release; /* ... until this is not 0 */
    int64_t racct;
    int64_t rctl_memorylocked; /* a rule process:PID:memorylocked:deny in bytes; 0 is none */
    int64_t posix_shm; /* mapped files are shared memory objects, whose length kern.proc.vmmap does not have */
    int64_t unreadable; /* the device cannot read the page at this address; 0 is none */
    int64_t mincore_mapped; /* mincore knows the page table of this process only */
    int64_t suser_enabled;
    int64_t mincore_changes; /* in so many of the next calls of mincore the map changes; -1: in all of them ... */
    int64_t mincore_change_at; /* ... at this page, or right at the end; -1: at another one each time */
    int64_t vmmap_lost; /* entries are missing behind the one at this address ... */
    int64_t vmmap_losing; /* ... in so many of the next lists; -1: in every other one */
} set;

static const struct {
    const char *name;
    int64_t *value;
} settings[] = {
    {"limit_cur", &set.limit_cur},
    {"limit_max", &set.limit_max},
    {"max_user_wired", &set.max_user_wired},
    {"maximum_bytes", &set.max_user_wired},
    {"others_wired", &set.others_wired},
    {"unprivileged_mlock", &set.unprivileged_mlock},
    {"jailed", &set.jailed},
    {"mlock_allowed", &set.mlock_allowed},
    {"euid", &set.euid},
    {"capmode", &set.capmode},
    {"old_mlock", &set.old_mlock},
    {"osreldate", &set.osreldate},
    {"old_names", &set.old_names},
    {"no_vmmap", &set.no_vmmap},
    {"aio_feature", &set.aio_feature},
    {"max_aio_queue", &set.max_aio_queue},
    {"max_aio_queue_per_proc", &set.max_aio_queue_per_proc},
    {"others_aio", &set.others_aio},
    {"aio_delay_us", &set.aio_delay_us},
    {"aio_hold", &set.aio_hold},
    {"aio_queue_hold", &set.aio_queue_hold},
    {"nbytes_max", &set.nbytes_max},
    {"hold_mlock", &set.hold_mlock},
    {"held", &set.held},
    {"release", &set.release},
    {"racct", &set.racct},
    {"rctl_memorylocked", &set.rctl_memorylocked},
    {"posix_shm", &set.posix_shm},
    {"unreadable", &set.unreadable},
    {"mincore_mapped", &set.mincore_mapped},
    {"suser_enabled", &set.suser_enabled},
    {"mincore_changes", &set.mincore_changes},
    {"mincore_change_at", &set.mincore_change_at},
    {"vmmap_lost", &set.vmmap_lost},
    {"vmmap_losing", &set.vmmap_losing},
};
#define SETTINGS (sizeof settings / sizeof settings[0])

/* Guards everything but the map. Never held across a real lock. */
static pthread_mutex_t kernel = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* Held from the look at the mappings to the end of the change. */
static pthread_mutex_t map_lock = PTHREAD_MUTEX_INITIALIZER;

static struct fault {
    char call[24];
    int nth, number;
    long calls;
} faults[64];

static struct fault *fault_of(const char *call) {
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i].call[0] == 0) {
            snprintf(faults[i].call, sizeof faults[i].call, "%s", call);
        }
        if (strcmp(faults[i].call, call) == 0) {
            return &faults[i];
        }
    }
    abort();
}

/* Counts a call and tells with which errno it has to fail, or 0. */
static int fault(const char *call) {
    pthread_mutex_lock(&kernel);
    struct fault *f = fault_of(call);
    f->calls++;
    int number = 0;
    if (f->nth > 1) {
        f->nth--;
    } else {
        number = f->number;
        f->number = f->nth == 1 ? 0 : number;
    }
    pthread_mutex_unlock(&kernel);
    return number;
}

#define FAULT(call)                    \
    do {                               \
        int number_ = fault(call);     \
        if (number_ != 0) {            \
            return fail(number_);      \
        }                              \
    } while (0)

/* The nth call from now fails; with nth 0 every call does, unless the number is 0. */
void standin_fail(const char *call, int nth, int number) {
    pthread_mutex_lock(&kernel);
    struct fault *f = fault_of(call);
    f->nth = nth;
    f->number = number;
    pthread_mutex_unlock(&kernel);
}

long standin_calls(const char *call) {
    pthread_mutex_lock(&kernel);
    long calls = fault_of(call)->calls;
    pthread_mutex_unlock(&kernel);
    return calls;
}

/* ---- The mappings, as Linux has them ---- */

struct vma {
    unsigned long start, end;
    int prot;
    int locked; /* only where smaps was read */
    int special; /* vdso and the like: not this process's to lock */
    long rss; /* in pages; only where smaps was read */
    uint64_t offset, inode;
    char path[256];
};

struct vmas {
    struct vma *all;
    size_t count;
};

static char *slurp(const char *path) {
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        abort();
    }
    size_t size = 1 << 16, used = 0;
    char *text = malloc(size);
    for (;;) {
        long got = syscall(SYS_read, fd, text + used, size - used - 1);
        if (got <= 0) {
            break;
        }
        used += got;
        if (size - used < 4096) {
            text = realloc(text, size *= 2);
        }
    }
    text[used] = 0;
    syscall(SYS_close, fd);
    return text;
}

/* Reads a number that ends with the given character, and passes both. */
static int hex(char **text, char end, unsigned long *value) {
    unsigned long sum = 0;
    char *at = *text;
    for (;; at++) {
        if (*at >= '0' && *at <= '9') {
            sum = sum << 4 | (unsigned long) (*at - '0');
        } else if (*at >= 'a' && *at <= 'f') {
            sum = sum << 4 | (unsigned long) (*at - 'a' + 10);
        } else {
            break;
        }
    }
    if (at == *text || *at != end) {
        return 0;
    }
    *text = at + 1;
    *value = sum;
    return 1;
}

static struct vmas read_vmas(int with_flags) {
    char *text = slurp(with_flags ? "/proc/self/smaps" : "/proc/self/maps");
    struct vmas vmas = {NULL, 0};
    size_t room = 0;
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        unsigned long start, end;
        char *perms = line;
        if (hex(&perms, '-', &start) && hex(&perms, ' ', &end)) {
            char *at = perms + 5;
            unsigned long offset = 0;
            hex(&at, ' ', &offset);
            at = strchr(at, ' ');
            unsigned long inode = strtoul(at, &at, 10);
            char *path = at + strspn(at, " ");
            if (strcmp(path, "[vsyscall]") == 0) {
                continue;
            }
            if (vmas.count == room) {
                vmas.all = realloc(vmas.all, (room = room * 2 + 64) * sizeof *vmas.all);
            }
            /* Linux lists a mapping that grew or was merged since the last line from its old start; FreeBSD has none twice. */
            unsigned long listed = vmas.count == 0 ? 0 : vmas.all[vmas.count - 1].end;
            if (start < listed) {
                offset += listed - start;
                start = listed;
            }
            struct vma *v = &vmas.all[vmas.count++];
            v->locked = 0;
            v->rss = 0;
            v->start = start;
            v->end = end;
            v->prot = (perms[0] == 'r' ? FB_PROT_READ : 0) | (perms[1] == 'w' ? FB_PROT_WRITE : 0)
                    | (perms[2] == 'x' ? FB_PROT_EXEC : 0);
            v->offset = offset;
            v->inode = inode;
            strncpy(v->path, path, *path == 0 ? 1 : sizeof v->path - 1);
            v->path[sizeof v->path - 1] = 0;
            v->special = strncmp(v->path, "[v", 2) == 0;
        } else if (vmas.count > 0 && strncmp(line, "Rss:", 4) == 0) {
            vmas.all[vmas.count - 1].rss = atol(line + 4) / (PAGE / 1024);
        } else if (vmas.count > 0 && strncmp(line, "VmFlags:", 8) == 0) {
            vmas.all[vmas.count - 1].locked = strstr(line, " lo") != NULL;
        }
    }
    free(text);
    return vmas;
}

static const struct vma *vma_at(const struct vmas *vmas, unsigned long address) {
    for (size_t i = 0; i < vmas->count; i++) {
        if (address < vmas->all[i].end) {
            return address >= vmas->all[i].start ? &vmas->all[i] : NULL;
        }
    }
    return NULL;
}

/* The sum of user-wired entries, whether their pages are there or not. */
static long wired_pages(void) {
    char *text = slurp("/proc/self/status");
    char *line = strstr(text, "VmLck:");
    long pages = line == NULL ? 0 : atol(line + 6) / (long) (PAGE / 1024);
    free(text);
    return pages;
}

/* Counts the pages of a range that are in the page table. */
static long present_pages(int pagemap, unsigned long start, unsigned long end) {
    long count = 0;
    for (unsigned long at = start; at < end; at += PAGE) {
        uint64_t entry;
        SEEK(pagemap, at / PAGE * sizeof entry);
        count += syscall(SYS_read, pagemap, &entry, sizeof entry) == sizeof entry && (entry >> 63) != 0;
    }
    return count;
}

/* pmap_wired_count, which the limit and rctl count: without access, or beyond the end of the file, there is no page. */
static long charged_pages(void) {
    struct vmas vmas = read_vmas(1);
    int pagemap = (int) syscall(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    long count = 0;
    for (size_t i = 0; i < vmas.count; i++) {
        const struct vma *v = &vmas.all[i];
        count += v->locked && v->prot != 0 ? present_pages(pagemap, v->start, v->end) : 0;
    }
    syscall(SYS_close, pagemap);
    free(vmas.all);
    return count;
}

/* Whether a limit in bytes is exceeded; what is charged is looked up only where it decides. */
static int exceeds(unsigned long pages, long wired, int64_t limit) {
    return (uint64_t) (pages + wired) * PAGE > (uint64_t) limit
            && (uint64_t) (pages + charged_pages()) * PAGE > (uint64_t) limit;
}

static int is_mapped(unsigned long start, unsigned long end, const struct vmas *vmas) {
    for (unsigned long at = start; at < end;) {
        const struct vma *v = vma_at(vmas, at);
        if (v == NULL) {
            return 0;
        }
        at = v->end;
    }
    return 1;
}

static int is_mapped_memory(const void *address, size_t size) {
    unsigned long start = TRUNC((unsigned long) address), end = ROUND((unsigned long) address + size);
    char vec[4];
    return end - start <= sizeof vec * PAGE && syscall(SYS_mincore, start, end - start, vec) == 0;
}

/* ---- mlock and its kin ---- */

/* The right to lock, as priv_check(PRIV_VM_MLOCK): the jail first, then the sysctl, which does not bind root. */
static int is_permitted(void) {
    if (set.jailed && !set.mlock_allowed) {
        return 0;
    }
    return set.unprivileged_mlock || (set.euid == 0 && set.suser_enabled);
}

static void undo(unsigned long start, unsigned long end, const struct vmas *before) {
    for (size_t i = 0; i < before->count; i++) {
        const struct vma *v = &before->all[i];
        unsigned long from = v->start > start ? v->start : start;
        unsigned long to = v->end < end ? v->end : end;
        if (from < to && !v->locked) {
            syscall(SYS_munlock, from, to - from);
        }
    }
}

/* Returns an errno. */
static int do_mlock(unsigned long address, size_t length, int permitted) {
    if (!permitted) {
        return FB_EPERM;
    }
    unsigned long last = address + length;
    unsigned long start = TRUNC(address), end = ROUND(last);
    if (last < address || end < address) {
        return FB_EINVAL;
    }
    unsigned long pages = (end - start) / PAGE;
    if (set.max_user_wired >= 0 && pages > (uint64_t) set.max_user_wired) {
        return FB_ENOMEM;
    }
    pthread_mutex_lock(&map_lock);
    long wired = wired_pages();
    int result = 0;
    if (set.limit_cur != FB_RLIM_INFINITY && exceeds(pages, wired, set.limit_cur)) {
        result = FB_ENOMEM;
    } else if (set.racct && set.rctl_memorylocked && exceeds(pages, wired, set.rctl_memorylocked)) {
        result = FB_ENOMEM;
    } else if (start != end) {
        struct vmas vmas = read_vmas(0);
        int of_file = 0;
        for (unsigned long at = start; at < end && result == 0;) {
            const struct vma *v = vma_at(&vmas, at);
            if (v == NULL || (v->prot & (FB_PROT_READ | FB_PROT_EXEC)) == 0) {
                result = FB_ENOMEM;
            } else {
                of_file |= v->inode != 0;
                at = v->end;
            }
        }
        int near_maximum =
                set.max_user_wired >= 0 && set.others_wired + wired + (long) pages > set.max_user_wired;
        if (result == 0 && (of_file || near_maximum)) {
            free(vmas.all);
            vmas = read_vmas(1);
        }
        if (result == 0 && near_maximum) {
            long added = pages;
            for (unsigned long at = start; at < end;) {
                const struct vma *v = vma_at(&vmas, at);
                unsigned long to = v->end < end ? v->end : end;
                added -= v->locked ? (to - at) / PAGE : 0;
                at = to;
            }
            if (added > 0 && set.others_wired + wired + added > set.max_user_wired) {
                result = FB_ENOMEM;
            }
        }
        unsigned long bad = set.unreadable;
        int unreadable = start <= bad && bad < end;
        if (result == 0 && unreadable && bad != start) {
            syscall(SYS_mlock, start, bad - start);
        }
        if (result == 0 && (unreadable || syscall(SYS_mlock, start, end - start) != 0)) {
            if (!of_file) {
                free(vmas.all);
                vmas = read_vmas(1);
            }
            undo(start, end, &vmas);
            result = FB_ENOMEM;
        }
        free(vmas.all);
    }
    pthread_mutex_unlock(&map_lock);
    return result;
}

static void wait_at_gate(void) {
    pthread_mutex_lock(&kernel);
    if (set.hold_mlock) {
        set.hold_mlock = 0;
        set.held++;
        while (!set.release) {
            pthread_cond_wait(&changed, &kernel);
        }
    }
    pthread_mutex_unlock(&kernel);
}

int mlock(const void *addr, size_t len) {
    FAULT("mlock");
    wait_at_gate();
    int number = do_mlock((unsigned long) addr, len, is_permitted());
    return number == 0 ? 0 : fail(number);
}

int munlock(const void *addr, size_t len) {
    FAULT("munlock");
    if (!is_permitted()) {
        return fail(FB_EPERM);
    }
    unsigned long address = (unsigned long) addr, last = address + len;
    unsigned long start = TRUNC(address), end = ROUND(last);
    if (last < address || end < address) {
        return fail(FB_EINVAL);
    }
    if (start == end) {
        return 0;
    }
    pthread_mutex_lock(&map_lock);
    struct vmas vmas = read_vmas(0);
    int mapped = is_mapped(start, end, &vmas);
    free(vmas.all);
    int failed = mapped && syscall(SYS_munlock, start, end - start) != 0;
    pthread_mutex_unlock(&map_lock);
    return !mapped || failed ? fail(FB_ENOMEM) : 0;
}

static int future;

int mlockall(int flags) {
    FAULT("mlockall");
    if (!is_permitted()) {
        return fail(FB_EPERM);
    }
    if (flags == 0 || (flags & ~(FB_MCL_CURRENT | FB_MCL_FUTURE)) != 0) {
        return fail(FB_EINVAL);
    }
    pthread_mutex_lock(&map_lock);
    struct vmas vmas = read_vmas(1);
    unsigned long size = 0;
    long added = 0;
    for (size_t i = 0; i < vmas.count; i++) {
        const struct vma *v = &vmas.all[i];
        size += v->end - v->start;
        added += v->prot != 0 && !v->special && !v->locked ? (v->end - v->start) / PAGE : 0;
    }
    int result = 0;
    if ((flags & FB_MCL_CURRENT) && !set.old_mlock && set.limit_cur != FB_RLIM_INFINITY
            && size > (uint64_t) set.limit_cur) {
        result = FB_ENOMEM;
    }
    if (result == 0 && set.racct && set.rctl_memorylocked && size > (uint64_t) set.rctl_memorylocked) {
        result = FB_ENOMEM;
    }
    if (result == 0 && (flags & FB_MCL_FUTURE)) {
        future = 1;
        syscall(SYS_mlockall, 2);
    }
    if (result == 0 && (flags & FB_MCL_CURRENT)) {
        if (set.max_user_wired >= 0 && set.others_wired + wired_pages() + added > set.max_user_wired) {
            result = FB_ENOMEM;
        }
        for (size_t i = 0; i < vmas.count && result == 0; i++) {
            const struct vma *v = &vmas.all[i];
            if (v->start <= (unsigned long) set.unreadable && (unsigned long) set.unreadable < v->end) {
                undo(0, ~0UL, &vmas);
                result = FB_EAGAIN;
            } else if (v->prot != 0 && !v->special && !v->locked && syscall(SYS_mlock, v->start, v->end - v->start) != 0
                    && v->inode != 0) {
                undo(0, ~0UL, &vmas);
                result = FB_EAGAIN;
            }
        }
    }
    free(vmas.all);
    pthread_mutex_unlock(&map_lock);
    return result == 0 ? 0 : fail(result);
}

int munlockall(void) {
    FAULT("munlockall");
    if (!is_permitted()) {
        return fail(FB_EPERM);
    }
    pthread_mutex_lock(&map_lock);
    future = 0;
    syscall(SYS_munlockall);
    pthread_mutex_unlock(&map_lock);
    return 0;
}

int msync(void *addr, size_t len, int flags) {
    FAULT("msync");
    unsigned long address = (unsigned long) addr, start = TRUNC(address), end = ROUND(address + len);
    if (address + len < address || (flags & (FB_MS_ASYNC | FB_MS_INVALIDATE)) == (FB_MS_ASYNC | FB_MS_INVALIDATE)) {
        return fail(FB_EINVAL);
    }
    pthread_mutex_lock(&map_lock);
    struct vmas vmas = read_vmas((flags & FB_MS_INVALIDATE) != 0);
    if (len == 0) {
        const struct vma *v = vma_at(&vmas, start);
        start = v == NULL ? start : v->start;
        end = v == NULL ? start + PAGE : v->end;
    }
    int result = is_mapped(start, end, &vmas) ? 0 : FB_ENOMEM;
    for (unsigned long at = start; result == 0 && at < end;) {
        const struct vma *v = vma_at(&vmas, at);
        result = (flags & FB_MS_INVALIDATE) && v->locked ? FB_EBUSY : 0;
        at = v->end;
    }
    free(vmas.all);
    pthread_mutex_unlock(&map_lock);
    if (result == 0
            && syscall(SYS_msync, start, end - start, (flags & FB_MS_ASYNC ? 1 : 4) | (flags & FB_MS_INVALIDATE)) != 0) {
        result = errno == 5 ? FB_EIO : FB_ENOMEM;
    }
    return result == 0 ? 0 : fail(result);
}

/*
 * kern_mincore of sys/vm/vm_mmap.c gives the map's lock up for each page. If the map has changed then, it starts anew, but with
 * the page at which it is, and zeroes what it skips: all that it had told. At the end there is no page any more to start with.
 */
static int change_within_mincore(unsigned long end, char *vec, unsigned long pages) {
    static unsigned long turn;
    unsigned long at = pages + 1;
    pthread_mutex_lock(&kernel);
    if (set.mincore_changes != 0) {
        set.mincore_changes -= set.mincore_changes > 0;
        at = set.mincore_change_at < 0 ? ++turn % pages : (unsigned long) set.mincore_change_at;
    }
    pthread_mutex_unlock(&kernel);
    if (at > pages) {
        return 0;
    }
    char behind;
    if (at == pages && syscall(SYS_mincore, end, PAGE, &behind) != 0) {
        return FB_ENOMEM;
    }
    memset(vec, 0, at);
    return 0;
}

/* What was last given to MADV_FREE, which takes the marks of a write from the pages. */
static unsigned long freed_start, freed_end;

int mincore(const void *addr, size_t len, char *vec) {
    FAULT("mincore");
    unsigned long start = TRUNC((unsigned long) addr), end = ROUND((unsigned long) addr + len);
    if (syscall(SYS_mincore, start, end - start, vec) != 0) {
        return fail(errno == 14 ? FB_EFAULT : FB_ENOMEM);
    }
    int mapped = set.mincore_mapped && set.osreldate >= 1200000;
    struct vmas vmas = mapped ? read_vmas(0) : (struct vmas) {NULL, 0};
    long pagemap = mapped ? syscall(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC) : -1;
    for (unsigned long i = 0; i < (end - start) / PAGE; i++) {
        int is = vec[i] & 1;
        if (is && pagemap >= 0) {
            const struct vma *v = vma_at(&vmas, start + i * PAGE);
            is = v != NULL && v->prot != 0 && present_pages((int) pagemap, start + i * PAGE, start + (i + 1) * PAGE);
        }
        int is_freed = freed_start <= start + i * PAGE && start + i * PAGE < freed_end;
        vec[i] = is_freed && is ? FB_MINCORE_INCORE : is ? FB_MINCORE_ALL : 0;
    }
    if (pagemap >= 0) {
        syscall(SYS_close, pagemap);
    }
    free(vmas.all);
    int number = change_within_mincore(end, vec, (end - start) / PAGE);
    return number == 0 ? 0 : fail(number);
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, int64_t offset) {
    pthread_mutex_lock(&map_lock);
    long wired = future ? wired_pages() : 0;
    unsigned long size = ROUND(len);
    if (future && !set.old_mlock && set.limit_cur != FB_RLIM_INFINITY && (uint64_t) wired * PAGE + size > (uint64_t) set.limit_cur) {
        pthread_mutex_unlock(&map_lock);
        errno = FB_ENOMEM;
        return (void *) -1;
    }
    int anonymous = flags & (FB_MAP_ANON | FB_MAP_GUARD | FB_MAP_STACK);
    int linux_flags = (flags & FB_MAP_SHARED ? 1 : 2) | (flags & FB_MAP_FIXED ? 0x10 : 0) | (anonymous ? 0x20 : 0);
    int linux_prot = flags & (FB_MAP_GUARD | FB_MAP_STACK) ? 0 : prot;
    long at = MAP_PAGES(addr, size, linux_prot, linux_flags, anonymous ? -1 : fd, offset);
    if (at == -1) {
        pthread_mutex_unlock(&map_lock);
        errno = FB_ENOMEM;
        return (void *) -1;
    }
    unsigned long start = at;
    if (flags & FB_MAP_STACK) {
        start = at + size - PAGE;
        syscall(SYS_mprotect, start, PAGE, prot);
        linux_prot = prot;
    }
    if (future) {
        /* Linux has locked it already; FreeBSD leaves it alone, with success, in two cases. */
        unsigned long lockable = (unsigned long) at + size - start;
        if (linux_prot == 0
                || (set.max_user_wired >= 0 && set.others_wired + wired + (long) (lockable / PAGE) > set.max_user_wired)) {
            syscall(SYS_munlock, at, size);
        } else if (start != (unsigned long) at) {
            syscall(SYS_munlock, at, start - at);
        }
    }
    pthread_mutex_unlock(&map_lock);
    return (void *) at;
}

int mprotect(void *addr, size_t len, int prot) {
    return syscall(SYS_mprotect, addr, ROUND(len), prot) == 0 ? 0 : fail(FB_ENOMEM);
}

/* The kernel goes from entry to entry and does not look for holes: vm_map_madvise() and vm_map_inherit(). */
int madvise(void *addr, size_t len, int behav) {
    if (behav == FB_MADV_FREE) {
        freed_start = TRUNC((unsigned long) addr);
        freed_end = ROUND((unsigned long) addr + len);
    } else if (behav == FB_MADV_NOCORE || behav == FB_MADV_CORE) {
        syscall(SYS_madvise, addr, ROUND(len), behav == FB_MADV_NOCORE ? LINUX_MADV_DONTDUMP : LINUX_MADV_DODUMP);
    }
    return behav >= 0 && behav <= 10 ? 0 : fail(FB_EINVAL);
}

int minherit(void *addr, size_t len, int inherit) {
    if (inherit == FB_INHERIT_ZERO || inherit == FB_INHERIT_COPY) {
        syscall(SYS_madvise, addr, ROUND(len), inherit == FB_INHERIT_ZERO ? LINUX_MADV_WIPEONFORK : LINUX_MADV_KEEPONFORK);
    }
    return inherit >= 0 && inherit <= 3 ? 0 : fail(FB_EINVAL);
}

/* ---- Limits and sysctl ---- */

int getpagesize(void) {
    return PAGE;
}

int getpagesizes(size_t pagesize[], int nelem) {
    static const size_t sizes[] = {PAGE, 2 << 20, 1 << 30};
    if (nelem < 0 || (nelem > 0 && pagesize == NULL)) {
        return fail(FB_EINVAL);
    }
    for (int i = 0; i < nelem && i < 3; i++) {
        pagesize[i] = sizes[i];
    }
    return pagesize == NULL || nelem > 3 ? 3 : nelem;
}

int getrlimit(int resource, struct fb_rlimit *rlp) {
    FAULT("getrlimit");
    if (resource != FB_RLIMIT_MEMLOCK) {
        return fail(FB_EINVAL);
    }
    rlp->rlim_cur = set.limit_cur;
    rlp->rlim_max = set.limit_max;
    return 0;
}

static int give(const void *value, size_t size, void *oldp, size_t *oldlenp) {
    if (oldp != NULL && *oldlenp < size) {
        return fail(FB_ENOMEM);
    }
    if (oldp != NULL) {
        memcpy(oldp, value, size);
    }
    *oldlenp = size;
    return 0;
}

int sysctlbyname(const char *name, void *oldp, size_t *oldlenp, const void *newp, size_t newlen) {
    FAULT("sysctlbyname");
    (void) newlen;
    const struct {
        const char *name;
        int64_t *value;
        int size, in_capability_mode, freebsd10;
    } known[] = {
        {"kern.osreldate", &set.osreldate, 4, 1, 1},
        {"kern.features.aio", &set.aio_feature, 4, 1, 1},
        {"vm.old_mlock", &set.old_mlock, 4, 0, 1},
        {"security.bsd.unprivileged_mlock", &set.unprivileged_mlock, 4, 0, 1},
        {"security.jail.jailed", &set.jailed, 4, 0, 1},
        {"security.jail.mlock_allowed", &set.mlock_allowed, 4, 0, 0},
        {"vfs.aio.max_aio_queue", &set.max_aio_queue, 4, 0, 1},
        {"vfs.aio.max_aio_queue_per_proc", &set.max_aio_queue_per_proc, 4, 0, 1},
        {"vm.mincore_mapped", &set.mincore_mapped, 4, 0, 0},
        {"security.bsd.suser_enabled", &set.suser_enabled, 4, 0, 1},
        {"kern.racct.enable", &set.racct, set.osreldate >= 1400000 ? 1 : 4, 0, 1},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0) {
            if (set.capmode && !known[i].in_capability_mode) {
                return fail(FB_EPERM);
            }
            if ((known[i].value == &set.aio_feature && !set.aio_feature)
                    || (!known[i].freebsd10 && set.osreldate < 1200000)) {
                return fail(FB_ENOENT);
            }
            if (newp != NULL && set.euid != 0) {
                return fail(FB_EPERM);
            }
            if (newp != NULL) {
                *known[i].value = *(const int *) newp;
            }
            /* A bool has one byte, and is 0 or 1. */
            int value = (int) *known[i].value;
            char flag = value != 0;
            return oldlenp == NULL ? 0 : give(known[i].size == 1 ? (void *) &flag : &value, known[i].size, oldp, oldlenp);
        }
    }
    if (set.capmode) {
        return fail(FB_EPERM);
    }
    if (strcmp(name, set.old_names ? "vm.max_wired" : "vm.max_user_wired") == 0) {
        if (newp != NULL && set.euid != 0) {
            return fail(FB_EPERM);
        }
        unsigned long value = set.max_user_wired;
        if (newp != NULL) {
            set.max_user_wired = *(const long *) newp;
        }
        return oldlenp == NULL ? 0 : give(&value, sizeof value, oldp, oldlenp);
    }
    unsigned long wired = set.others_wired + wired_pages();
    if (strcmp(name, "vm.stats.vm.v_user_wire_count") == 0 && set.osreldate >= 1200000) {
        return give(&wired, sizeof wired, oldp, oldlenp);
    }
    if (strcmp(name, "vm.stats.vm.v_wire_count") == 0) {
        unsigned int all = (unsigned int) wired;
        return give(&all, sizeof all, oldp, oldlenp);
    }
    return fail(FB_ENOENT);
}

/*
 * kern_proc_vmmap_out of sys/kern/kern_proc.c gives the map's lock up after each entry, and if the map has changed then, it goes
 * on behind the entry that ends where this one did. If that one has become one with those behind it, they are never told.
 */
static void merge_within_vmmap(struct vmas *vmas) {
    static int turn;
    pthread_mutex_lock(&kernel);
    int losing = set.vmmap_losing < 0 ? turn++ % 2 : set.vmmap_losing > 0;
    set.vmmap_losing -= set.vmmap_losing > 0;
    pthread_mutex_unlock(&kernel);
    for (size_t i = 0; losing && i + 3 < vmas->count; i++) {
        if (vmas->all[i].start <= (unsigned long) set.vmmap_lost && (unsigned long) set.vmmap_lost < vmas->all[i].end) {
            memmove(&vmas->all[i + 1], &vmas->all[i + 3], (vmas->count - i - 3) * sizeof *vmas->all);
            vmas->count -= 2;
            return;
        }
    }
}

static int vmmap(char *oldp, size_t *oldlenp) {
    struct vmas vmas = read_vmas(1);
    if (oldp != NULL) {
        merge_within_vmmap(&vmas);
    }
    size_t used = 0;
    int short_of = 0;
    for (size_t i = 0; i < vmas.count; i++) {
        const struct vma *v = &vmas.all[i];
        struct fb_kinfo_vmentry kve;
        memset(&kve, 0, sizeof kve);
        kve.kve_type = v->inode != 0 ? FB_KVME_TYPE_VNODE : FB_KVME_TYPE_DEFAULT;
        kve.kve_start = v->start;
        kve.kve_end = v->end;
        kve.kve_offset = v->inode != 0 ? v->offset : 0;
        kve.kve_vn_fileid = v->inode;
        kve.kve_flags = v->locked && set.osreldate >= 1200000 ? FB_KVME_FLAG_USER_WIRED : 0;
        kve.kve_resident = (int) v->rss;
        kve.kve_protection = v->prot | 7 << 16; /* with what it may become above */
        struct stat file;
        const struct mapping *of_tests = mapping_at((const char *) v->start);
        if (v->inode != 0 && set.posix_shm) {
            kve.kve_type = FB_KVME_TYPE_SWAP;
            kve.kve_flags |= FB_KVME_FLAG_POSIXSHM;
        } else if (v->inode != 0 && (of_tests != NULL ? fstat(of_tests->fd, &file) : stat(v->path, &file)) == 0) {
            kve.kve_vn_size = file.st_size;
            kve.kve_status = 1; /* KF_ATTR_VALID */
        }
        snprintf(kve.kve_path, sizeof kve.kve_path, "%s", v->inode != 0 ? v->path : "");
        size_t size = offsetof(struct fb_kinfo_vmentry, kve_path) + strlen(kve.kve_path) + 1;
        size = (size + 7) & ~(size_t) 7;
        kve.kve_structsize = (int) size;
        if (oldp != NULL) {
            if (used + size > *oldlenp) {
                short_of = 1;
                break;
            }
            memcpy(oldp + used, &kve, size);
        }
        used += size;
    }
    free(vmas.all);
    *oldlenp = used;
    return short_of ? fail(FB_ENOMEM) : 0;
}

int sysctl(const int *name, unsigned int namelen, void *oldp, size_t *oldlenp, const void *newp, size_t newlen) {
    FAULT("sysctl");
    (void) newlen;
    if (newp != NULL || namelen != 4 || name[0] != FB_CTL_KERN || name[1] != FB_KERN_PROC
            || name[2] != FB_KERN_PROC_VMMAP || name[3] != (int) syscall(SYS_getpid)) {
        return fail(FB_ENOENT);
    }
    if (set.capmode || set.no_vmmap) {
        return fail(FB_EPERM);
    }
    return vmmap(oldp, oldlenp);
}

/* Under the names of libc, which a driver that is linked with this must not lose. */
unsigned int geteuid(void) {
    return (unsigned int) set.euid;
}

int cap_getmode(unsigned int *modep) {
    *modep = set.capmode != 0;
    return 0;
}

/* ---- aio ---- */

enum state { QUEUED, RUNNING, DONE };

struct job {
    struct job *next;
    struct fb_aiocb *user; /* by this the kernel finds it */
    struct fb_aiocb copy;
    int permitted; /* the credentials of the submitter */
    enum state state;
    int error;
    int told; /* EV_ONESHOT: the event was given */
    struct queue *queue; /* where the end is told */
};

static struct job *jobs; /* in the order of their submission */
static int job_count, workers, idle, has_used_aio;

static void real_sleep(long us) {
    struct timespec time = {us / 1000000, us % 1000000 * 1000};
    syscall(SYS_nanosleep, &time, NULL);
}

static struct job *next_queued(void) {
    if (set.aio_queue_hold) {
        return NULL;
    }
    for (struct job *job = jobs; job != NULL; job = job->next) {
        if (job->state == QUEUED) {
            return job;
        }
    }
    return NULL;
}

static void signal_of(const struct job *job) {
    if (job->copy.aio_sigevent.sigev_notify != FB_SIGEV_SIGNAL) {
        return;
    }
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_code = SI_QUEUE; /* FreeBSD's 0x10004 cannot be sent by a thread other than the first */
    info.si_value.sival_ptr = job->copy.aio_sigevent.sigev_value.sival_ptr;
    syscall(SYS_rt_sigqueueinfo, syscall(SYS_getpid), SIGUSR1, &info);
}

static void *work(void *unused) {
    (void) unused;
    pthread_mutex_lock(&kernel);
    for (;;) {
        struct job *job = next_queued();
        if (job == NULL) {
            idle++;
            pthread_cond_wait(&changed, &kernel);
            idle--;
            continue;
        }
        job->state = RUNNING;
        while (set.aio_hold == 1 || (set.aio_hold > 1 && (size_t) set.aio_hold == job->copy.aio_nbytes)) {
            pthread_cond_wait(&changed, &kernel);
        }
        long delay = set.aio_delay_us;
        pthread_mutex_unlock(&kernel);
        if (delay > 0) {
            real_sleep(delay);
        }
        wait_at_gate();
        int number = fault("aio_job");
        if (number == 0) {
            number = do_mlock((unsigned long) job->copy.aio_buf, job->copy.aio_nbytes, job->permitted);
        }
        pthread_mutex_lock(&kernel);
        job->error = number;
        job->state = DONE;
        signal_of(job);
        pthread_cond_broadcast(&changed);
    }
    return NULL;
}

static void start_worker(void) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, &attributes, work, NULL) == 0) {
        workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

/* A thread that sleeps in kevent holds the queue, not its descriptor: it goes on after close(), see sys/kern/kern_event.c. */
struct queue {
    int fd;
    int closed, sleepers;
    int user_registered, user_triggered, user_clear;
    uintptr_t user_ident;
    void *user_data;
};

static struct queue queues[1024];
static int newest_queue;

static struct queue *queue_of(int fd) {
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        if (queues[i].fd == fd && fd > 0 && !queues[i].closed) {
            return &queues[i];
        }
    }
    return NULL;
}

/* What is said of a descriptor without a queue: newer trees tell an open one apart. Since which release is not known. */
static int no_queue(int fd) {
    return set.osreldate < 1500000 || syscall(SYS_fcntl, fd, F_GETFD) < 0 ? FB_EBADF : FB_EINVAL;
}

static struct job *job_of(const struct fb_aiocb *user, int only_done) {
    for (struct job *job = jobs; job != NULL; job = job->next) {
        if (job->user == user && (!only_done || job->state == DONE)) {
            return job;
        }
    }
    return NULL;
}

static void remove_job(struct job *job) {
    for (struct job **at = &jobs; *at != NULL; at = &(*at)->next) {
        if (*at == job) {
            *at = job->next;
            break;
        }
    }
    job_count--;
    free(job);
}

static int enqueue(struct fb_aiocb *user) {
    user->priv.status = -1;
    user->priv.error = 0;
    user->priv.kernelinfo = (void *) -1;
    if (job_count >= set.max_aio_queue_per_proc || set.others_aio + job_count >= set.max_aio_queue) {
        return FB_EAGAIN;
    }
    const struct fb_sigevent *event = &user->aio_sigevent;
    if (user->aio_nbytes > (size_t) set.nbytes_max) {
        return FB_EINVAL;
    }
    switch (event->sigev_notify) {
        case FB_SIGEV_NONE:
            break;
        case FB_SIGEV_SIGNAL:
        case FB_SIGEV_THREAD_ID:
            if (event->sigev_signo <= 0 || event->sigev_signo > 128) {
                return FB_EINVAL;
            }
            break;
        case FB_SIGEV_KEVENT:
            if ((event->un.kevent_flags & ~(FB_EV_CLEAR | FB_EV_DISPATCH | FB_EV_ONESHOT)) != 0) {
                return FB_EINVAL;
            }
            if (queue_of(event->sigev_signo) == NULL) {
                return no_queue(event->sigev_signo);
            }
            break;
        default:
            return FB_EINVAL;
    }
    struct job *job = calloc(1, sizeof *job);
    job->user = user;
    job->copy = *user;
    job->permitted = is_permitted();
    job->queue = event->sigev_notify == FB_SIGEV_KEVENT ? queue_of(event->sigev_signo) : NULL;
    struct job **end = &jobs;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = job;
    job_count++;
    user->priv.error = FB_EINPROGRESS;
    if (idle == 0 && workers < 4) {
        start_worker();
    }
    pthread_cond_broadcast(&changed);
    return 0;
}

int aio_mlock(struct fb_aiocb *iocb) {
    FAULT("aio_mlock");
    if (set.capmode) {
        return fail(FB_ECAPMODE);
    }
    if (!set.aio_feature) {
        /* On 10.x without the module; the real one sends SIGSYS first. */
        raise(SIGSYS);
        return fail(FB_ENOSYS);
    }
    if (!is_mapped_memory(iocb, sizeof *iocb)) {
        return fail(FB_EFAULT);
    }
    pthread_mutex_lock(&kernel);
    has_used_aio = 1;
    int number = enqueue(iocb);
    if (number != 0) {
        iocb->priv.error = number;
    }
    pthread_mutex_unlock(&kernel);
    return number == 0 ? 0 : fail(number);
}

int aio_error(const struct fb_aiocb *iocb) {
    int number = fault("aio_error");
    if (number != 0) {
        return number;
    }
    pthread_mutex_lock(&kernel);
    struct job *job = job_of(iocb, 0);
    if (job != NULL) {
        number = job->state == DONE ? job->error : FB_EINPROGRESS;
    } else {
        number = iocb->priv.status == -1 ? (int) iocb->priv.error : FB_EINVAL;
    }
    pthread_mutex_unlock(&kernel);
    return number;
}

ssize_t aio_return(struct fb_aiocb *iocb) {
    FAULT("aio_return");
    pthread_mutex_lock(&kernel);
    struct job *job = job_of(iocb, 1);
    if (job == NULL) {
        pthread_mutex_unlock(&kernel);
        return fail(FB_EINVAL);
    }
    int number = job->error;
    iocb->priv.status = number == 0 ? 0 : -1;
    iocb->priv.error = number;
    remove_job(job);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&kernel);
    return number == 0 ? 0 : fail(number);
}

int aio_cancel(int fildes, struct fb_aiocb *iocb) {
    FAULT("aio_cancel");
    if (syscall(SYS_fcntl, fildes, F_GETFD) < 0) {
        return fail(FB_EBADF);
    }
    int cancelled = 0, not_cancelled = 0;
    pthread_mutex_lock(&kernel);
    for (struct job *job = jobs; job != NULL; job = job->next) {
        if (job->copy.aio_fildes != fildes || (iocb != NULL && job->user != iocb) || job->state == DONE) {
            continue;
        }
        if (job->state == QUEUED) {
            job->state = DONE;
            job->error = FB_ECANCELED;
            cancelled++;
        } else {
            not_cancelled++;
        }
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&kernel);
    return not_cancelled > 0 ? FB_AIO_NOTCANCELED : cancelled > 0 ? FB_AIO_CANCELED : FB_AIO_ALLDONE;
}

/* Waits for a change; 0 if the time is over. */
static int wait_until(const struct timespec *until) {
    return until == NULL ? pthread_cond_wait(&changed, &kernel) == 0
                         : pthread_cond_timedwait(&changed, &kernel, until) == 0;
}

static struct timespec *deadline(const struct fb_timespec *timeout, struct timespec *at) {
    if (timeout == NULL) {
        return NULL;
    }
    clock_gettime(CLOCK_REALTIME, at);
    at->tv_sec += timeout->tv_sec;
    at->tv_nsec += timeout->tv_nsec;
    if (at->tv_nsec >= 1000000000) {
        at->tv_nsec -= 1000000000;
        at->tv_sec++;
    }
    return at;
}

int aio_suspend(const struct fb_aiocb *const iocbs[], int niocb, const struct fb_timespec *timeout) {
    FAULT("aio_suspend");
    if (niocb < 0 || niocb > set.max_aio_queue_per_proc) {
        return fail(FB_EINVAL);
    }
    struct timespec at, *until = deadline(timeout, &at);
    pthread_mutex_lock(&kernel);
    if (!has_used_aio) {
        pthread_mutex_unlock(&kernel);
        return fail(FB_EAGAIN);
    }
    for (;;) {
        int pending = 0, done = 0;
        for (int i = 0; i < niocb; i++) {
            struct job *job = iocbs[i] == NULL ? NULL : job_of(iocbs[i], 0);
            pending += job != NULL && job->state != DONE;
            done += job != NULL && job->state == DONE;
        }
        if (done > 0 || pending == 0) {
            pthread_mutex_unlock(&kernel);
            return 0;
        }
        if (!wait_until(until)) {
            pthread_mutex_unlock(&kernel);
            return fail(FB_EAGAIN);
        }
    }
}

ssize_t aio_waitcomplete(struct fb_aiocb **iocbp, struct fb_timespec *timeout) {
    FAULT("aio_waitcomplete");
    struct timespec at, *until = deadline(timeout, &at);
    *iocbp = NULL;
    pthread_mutex_lock(&kernel);
    for (;;) {
        struct job *job = jobs;
        while (job != NULL && job->state != DONE) {
            job = job->next;
        }
        if (job != NULL) {
            int number = job->error;
            *iocbp = job->user;
            job->user->priv.status = number == 0 ? 0 : -1;
            job->user->priv.error = number;
            remove_job(job);
            pthread_mutex_unlock(&kernel);
            return number == 0 ? 0 : fail(number);
        }
        if (!wait_until(until)) {
            pthread_mutex_unlock(&kernel);
            return fail(FB_EAGAIN);
        }
    }
}

int lio_listio(int mode, struct fb_aiocb *const list[], int nent, struct fb_sigevent *sig) {
    (void) mode;
    (void) sig;
    for (int i = 0; i < nent; i++) {
        list[i]->priv.status = -1;
        list[i]->priv.error = FB_EINVAL;
    }
    return nent == 0 ? 0 : fail(FB_EIO);
}

/* ---- kqueue, for AIO and user events ---- */

int kqueue(void) {
    FAULT("kqueue");
    long fd = syscall(SYS_eventfd2, 0, 02000000);
    if (fd < 0) {
        return fail(FB_EMFILE);
    }
    pthread_mutex_lock(&kernel);
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        if (queues[i].fd == 0 || (queues[i].closed && queues[i].sleepers == 0)) {
            for (struct job *job = jobs; job != NULL; job = job->next) {
                job->queue = job->queue == &queues[i] ? NULL : job->queue;
            }
            memset(&queues[i], 0, sizeof queues[i]);
            queues[i].fd = newest_queue = (int) fd;
            pthread_mutex_unlock(&kernel);
            return (int) fd;
        }
    }
    abort();
}

int close(int fd) {
    pthread_mutex_lock(&kernel);
    struct queue *queue = queue_of(fd);
    if (queue != NULL) {
        queue->closed = 1;
    }
    pthread_mutex_unlock(&kernel);
    return syscall(SYS_close, fd) == 0 ? 0 : fail(FB_EBADF);
}

static int change(struct queue *queue, const struct fb_kevent *event) {
    if (event->filter != FB_EVFILT_USER) {
        return FB_EINVAL;
    }
    if (event->flags & FB_EV_ADD) {
        queue->user_registered = 1;
        queue->user_ident = event->ident;
        queue->user_data = event->udata;
        queue->user_clear = (event->flags & FB_EV_CLEAR) != 0;
    }
    if (!queue->user_registered || queue->user_ident != event->ident) {
        return FB_ENOENT;
    }
    if (event->fflags & FB_NOTE_TRIGGER) {
        queue->user_triggered = 1;
        pthread_cond_broadcast(&changed);
    }
    if (event->flags & FB_EV_DELETE) {
        queue->user_registered = queue->user_triggered = 0;
    }
    return 0;
}

static int collect(struct queue *queue, struct fb_kevent *events, int most) {
    int count = 0;
    if (queue->user_triggered && count < most) {
        struct fb_kevent *event = &events[count++];
        memset(event, 0, sizeof *event);
        event->ident = queue->user_ident;
        event->filter = FB_EVFILT_USER;
        event->udata = queue->user_data;
        queue->user_triggered = !queue->user_clear;
    }
    for (struct job *job = jobs; job != NULL && count < most; job = job->next) {
        const struct fb_sigevent *wish = &job->copy.aio_sigevent;
        if (job->state != DONE || job->told || job->queue != queue) {
            continue;
        }
        struct fb_kevent *event = &events[count++];
        memset(event, 0, sizeof *event);
        event->ident = (uintptr_t) job->user;
        event->filter = FB_EVFILT_AIO;
        event->flags = wish->un.kevent_flags | FB_EV_EOF;
        event->data = job->error;
        event->udata = wish->sigev_value.sival_ptr;
        job->told = wish->un.kevent_flags != 0;
    }
    return count;
}

int kevent(
        int kq,
        const struct fb_kevent *changelist,
        int nchanges,
        struct fb_kevent *eventlist,
        int nevents,
        const struct fb_timespec *timeout) {
    FAULT(nevents > 0 ? "kevent" : "kevent_change");
    struct timespec at, *until = deadline(timeout, &at);
    pthread_mutex_lock(&kernel);
    struct queue *queue = queue_of(kq);
    if (queue == NULL) {
        pthread_mutex_unlock(&kernel);
        return fail(no_queue(kq));
    }
    for (int i = 0; i < nchanges; i++) {
        int number = change(queue, &changelist[i]);
        if (number != 0) {
            pthread_mutex_unlock(&kernel);
            return fail(number);
        }
    }
    queue->sleepers++;
    for (;;) {
        int count = nevents == 0 ? 0 : collect(queue, eventlist, nevents);
        if (count > 0 || nevents == 0 || !wait_until(until)) {
            queue->sleepers--;
            pthread_mutex_unlock(&kernel);
            return count;
        }
    }
}

/* ---- Control ---- */

/* An unlimited number is -1. */
void standin_set(const char *name, long value) {
    pthread_mutex_lock(&kernel);
    for (size_t i = 0; i < SETTINGS; i++) {
        if (strcmp(name, settings[i].name) == 0) {
            value = strcmp(name, "maximum_bytes") == 0 ? value / (long) PAGE : value;
            int limit = settings[i].value == &set.limit_cur || settings[i].value == &set.limit_max;
            *settings[i].value = limit && value < 0 ? FB_RLIM_INFINITY : value;
            pthread_cond_broadcast(&changed);
            pthread_mutex_unlock(&kernel);
            return;
        }
    }
    fprintf(stderr, "stand-in: no setting %s\n", name);
    abort();
}

long standin_get(const char *name) {
    pthread_mutex_lock(&kernel);
    long value = -1;
    for (size_t i = 0; i < SETTINGS; i++) {
        if (strcmp(name, settings[i].name) == 0) {
            value = *settings[i].value;
        }
    }
    if (strcmp(name, "jobs") == 0) {
        value = job_count;
    } else if (strcmp(name, "queued") == 0 || strcmp(name, "running") == 0) {
        value = 0;
        for (struct job *job = jobs; job != NULL; job = job->next) {
            value += job->state == (name[0] == 'q' ? QUEUED : RUNNING);
        }
    } else if (strcmp(name, "kqueue") == 0) {
        value = newest_queue;
    } else if (strcmp(name, "future") == 0) {
        value = future;
    }
    pthread_mutex_unlock(&kernel);
    return value;
}

/* The next lock, by mlock or by a job, waits until standin_release. */
void standin_hold(const char *call) {
    (void) call;
    standin_set("held", 0);
    standin_set("release", 0);
    standin_set("hold_mlock", 1);
}

int standin_arrived(void) {
    return standin_get("held") != 0;
}

void standin_release(void) {
    standin_set("release", 1);
}

/* The settings as after boot. */
void standin_boot(void) {
    pthread_mutex_lock(&kernel);
    memset(&set, 0, sizeof set);
    set.limit_cur = set.limit_max = FB_RLIM_INFINITY;
    set.max_user_wired = 401644;
    set.unprivileged_mlock = 1;
    set.suser_enabled = 1;
    set.mincore_mapped = 1;
    set.osreldate = 1501000;
    set.aio_feature = 1;
    set.max_aio_queue = 1024;
    set.max_aio_queue_per_proc = 256;
    set.nbytes_max = (long) (~0UL >> 1);
    memset(faults, 0, sizeof faults);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&kernel);
}

/* As after boot, except for jobs, which the process has to reap. */
void standin_reset(void) {
    standin_boot();
    munlockall();
    standin_unmap_all();
    standin_boot();
}

/* A child has neither jobs nor workers nor locks. */
static void after_fork(void) {
    pthread_mutex_init(&kernel, NULL);
    pthread_mutex_init(&map_lock, NULL);
    pthread_cond_init(&changed, NULL);
    jobs = NULL;
    job_count = workers = idle = has_used_aio = future = 0;
}

__attribute__((constructor)) static void boot(void) {
    standin_boot();
    pthread_atfork(NULL, NULL, after_fork);
}
