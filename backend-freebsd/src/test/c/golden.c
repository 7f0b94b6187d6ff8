// SPDX-License-Identifier: Apache-2.0
/*
 * Makes the calls of freebsd-golden.md and prints, a line each, a key and what came out. Linked with the stand-in here; what
 * it prints is compared with what the page says (golden.tsv). "Wired" is the change of VmLck, as Linux counts it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "freebsd.h"

extern long syscall(long number, ...);
extern pid_t fork(void);
extern void _exit(int status);
extern int dup(int fd);
extern ssize_t write(int fd, const void *bytes, size_t length);
extern int ftruncate(int fd, long length);

#define P 4096L
/* On i386 FreeBSD's kernel lies above 0xffc00000, and Linux' above 0xffffe000 for a 32-bit process. */
#define KERNEL_ADDRESS (sizeof(long) == 8 ? ~0UL - 0x7effffff : ~0UL - 0x1fff)

static const char *name_of(int number) {
    switch (number) {
        case 0: return "0";
        case FB_EPERM: return "EPERM";
        case FB_ENOENT: return "ENOENT";
        case FB_EINTR: return "EINTR";
        case FB_EIO: return "EIO";
        case FB_EBADF: return "EBADF";
        case FB_ENOMEM: return "ENOMEM";
        case FB_EFAULT: return "EFAULT";
        case FB_EBUSY: return "EBUSY";
        case FB_EINVAL: return "EINVAL";
        case FB_EAGAIN: return "EAGAIN";
        case FB_EINPROGRESS: return "EINPROGRESS";
        case FB_ENOSYS: return "ENOSYS";
        case FB_ECANCELED: return "ECANCELED";
        case FB_ECAPMODE: return "ECAPMODE";
        default: return "?";
    }
}

/* Two results at once are needed at most in one printf, and a few more do no harm. */
static const char *r(long result) {
    static char texts[16][24];
    static int next;
    char *text = texts[next++ % 16];
    if (result == -1) {
        snprintf(text, 24, "-1/%s", name_of(errno));
    } else {
        snprintf(text, 24, "%ld", result);
    }
    return text;
}

static void row(const char *key, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("%s\t", key);
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
}

static long wired(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmLck:", 6) == 0) {
            kib = atol(line + 6);
        }
    }
    fclose(file);
    return kib / 4;
}

static void nap(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Pages with unmapped ones on either side. */
static char *map_as(long pages, int prot, int flags, int fd) {
    char *all = mmap(NULL, (pages + 2) * P, FB_PROT_NONE, FB_MAP_PRIVATE | FB_MAP_ANON, -1, 0);
    syscall(SYS_munmap, all, (pages + 2) * P);
    return mmap(all + P, pages * P, prot, flags | FB_MAP_FIXED, fd, 0);
}

static char *map(long pages) {
    return map_as(pages, FB_PROT_READ | FB_PROT_WRITE, FB_MAP_PRIVATE | FB_MAP_ANON, -1);
}

static void unmap(void *at, long pages) {
    syscall(SYS_munmap, at, pages * P);
}

/* Where a huge length does not wrap: a mapping may lie near the end of 32 bits. */
static char *far_below_the_end(char *m) {
    return sizeof(long) == 8 ? m : (char *) P;
}

static int file_of(long bytes) {
    int fd = (int) syscall(SYS_memfd_create, "golden", 0);
    if (ftruncate(fd, bytes) != 0) {
        abort();
    }
    return fd;
}

/* Is this very range user-wired in kern.proc.vmmap, with no other beside it? */
static int is_user_wired(char *at, long pages) {
    int mib[4] = {FB_CTL_KERN, FB_KERN_PROC, FB_KERN_PROC_VMMAP, (int) syscall(SYS_getpid)};
    static char buffer[1 << 20];
    size_t length = sizeof buffer;
    if (sysctl(mib, 4, buffer, &length, NULL, 0) != 0) {
        return -1;
    }
    long found = 0;
    for (char *next = buffer; next < buffer + length;) {
        const struct fb_kinfo_vmentry *kve = (void *) next;
        if ((kve->kve_flags & FB_KVME_FLAG_USER_WIRED) && kve->kve_start < (uintptr_t) at + pages * P
                && kve->kve_end > (uintptr_t) at) {
            found += kve->kve_start >= (uintptr_t) at && kve->kve_end <= (uintptr_t) at + pages * P
                    ? (long) (kve->kve_end - kve->kve_start) / P
                    : -100000;
        }
        next += kve->kve_structsize;
    }
    return found == pages ? 1 : found == 0 ? 0 : -2;
}

static void layout(void) {
#define SIZE(type) row("layout.sizeof." #type, "%zu", sizeof(struct fb_##type))
#define AT(type, member) row("layout." #type "." #member, "%zu", offsetof(struct fb_##type, member))
    SIZE(aiocb);
    AT(aiocb, aio_fildes);
    AT(aiocb, aio_offset);
    AT(aiocb, aio_buf);
    AT(aiocb, aio_nbytes);
    AT(aiocb, spare);
    AT(aiocb, spare2);
    AT(aiocb, aio_lio_opcode);
    AT(aiocb, aio_reqprio);
    AT(aiocb, priv.status);
    AT(aiocb, priv.error);
    AT(aiocb, priv.kernelinfo);
    AT(aiocb, aio_sigevent);
    SIZE(sigevent);
    AT(sigevent, sigev_notify);
    AT(sigevent, sigev_signo);
    AT(sigevent, sigev_value);
    AT(sigevent, un);
    SIZE(rlimit);
    SIZE(timespec);
    SIZE(kevent);
    SIZE(kinfo_vmentry);
}

static long sysctl_of(const char *name) {
    union {
        int narrow;
        long wide;
    } value = {.wide = 0};
    size_t length = sizeof value;
    if (sysctlbyname(name, &value, &length, NULL, 0) != 0) {
        return -1;
    }
    return length == sizeof value.narrow ? value.narrow : value.wide;
}

static void defaults(void) {
    size_t sizes[4];
    int count = getpagesizes(sizes, 3);
    row("default.pagesize", "%d", getpagesize());
    row("default.pagesizes", "%d: %zu, %zu, %zu", count, sizes[0], sizes[1], sizes[2]);
    row("default.max_user_wired", "%ld", sysctl_of("vm.max_user_wired"));
    row("default.old_mlock", "%ld", sysctl_of("vm.old_mlock"));
    row("default.unprivileged_mlock", "%ld", sysctl_of("security.bsd.unprivileged_mlock"));
    row("default.mlock_allowed", "%ld", sysctl_of("security.jail.mlock_allowed"));
    row("default.max_aio_queue", "%ld", sysctl_of("vfs.aio.max_aio_queue"));
    row("default.max_aio_queue_per_proc", "%ld", sysctl_of("vfs.aio.max_aio_queue_per_proc"));
}

static void ranges(void) {
    long before = wired();
    char *m = map(8);
    int result = mlock(m + 100, 1);
    row("mlock.unaligned", "%s, %ld", r(result), wired() - before);
    munlock(m, 8 * P);
    result = mlock(m + P - 1, 2);
    row("mlock.straddling", "%s, %ld", r(result), wired() - before);
    result = munlock(m + P + 17, 1);
    row("munlock.other address in page", "%s, %ld", r(result), wired() - before);
    munlock(m, 8 * P);

    char *hole = map(3);
    unmap(hole + P, 1);
    result = mlock(m, 0);
    row("mlock.empty aligned", "%s, %ld", r(result), wired() - before);
    row("mlock.empty null", "%s", r(mlock(NULL, 0)));
    row("mlock.empty unmapped", "%s", r(mlock(hole + P, 0)));
    result = mlock(m + 5, 0);
    row("mlock.empty unaligned", "%s, %ld", r(result), wired() - before);
    munlock(m, 8 * P);
    row("mlock.empty unaligned unmapped", "%s", r(mlock(hole + P + 5, 0)));

    result = mlock(hole, 3 * P);
    row("mlock.hole", "%s, %ld", r(result), wired() - before);
    mlock(hole, P);
    mlock(hole + 2 * P, P);
    result = mlock(hole, 3 * P);
    row("mlock.hole, parts locked before", "%s, %ld", r(result), wired() - before);
    result = munlock(hole, 3 * P);
    row("munlock.hole", "%s, %ld", r(result), wired() - before);
    munlock(hole, P);
    munlock(hole + 2 * P, P);
    row("mlock.overflow", "%s", r(mlock(m, -((long) m) + P)));
    row("munlock.overflow", "%s", r(munlock(m, -((long) m) + P)));
    row("mlock.size max", "%s", r(mlock(m, ~0UL)));
    row("munlock.size max", "%s", r(munlock(m, ~0UL)));
    row("mlock.null", "%s", r(mlock(NULL, 1)));
    row("mlock.kernel address", "%s", r(mlock((void *) KERNEL_ADDRESS, 1)));
    row("mlock.2^62", "%s", r(mlock(far_below_the_end(m), (~0UL >> 2) + 1)));
    row("munlock.never locked", "%s", r(munlock(m, P)));
    row("munlock.unmapped", "%s", r(munlock(hole + P, P)));

    mlock(m, P);
    mlock(m, P);
    munlock(m, P);
    row("mlock.twice, munlock once", "%ld", wired() - before);
    mlock(m, 3 * P);
    mlock(m + P, 3 * P);
    munlock(m, 3 * P);
    row("mlock.overlapping, munlock one", "%ld", wired() - before);
    munlock(m, 8 * P);

    char *gone = map(2);
    mlock(gone, 2 * P);
    unmap(gone, 1);
    mmap(gone + P, P, FB_PROT_READ, FB_MAP_PRIVATE | FB_MAP_ANON | FB_MAP_FIXED, -1, 0);
    row("munmap and MAP_FIXED over locked", "%ld", wired() - before);

    mlock(m, 4 * P);
    int pipe_of[2];
    syscall(SYS_pipe2, pipe_of, 0);
    pid_t child = fork();
    if (child == 0) {
        char text[64];
        long locked = wired();
        int length = snprintf(text, sizeof text, "%ld, %s", locked, r(munlock(m, 4 * P)));
        syscall(SYS_write, pipe_of[1], text, length);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    char text[64] = "";
    syscall(SYS_read, pipe_of[0], text, sizeof text - 1);
    row("fork", "child %s; parent %ld", text, wired() - before);
    munlock(m, 8 * P);
    unmap(m, 8);
}

static struct fb_aiocb *block_of(void *buf, size_t nbytes);
static void life(const char *key, struct fb_aiocb *cb);

static void kinds(void) {
    int result;
    long before = wired();
    char *none = map_as(3, FB_PROT_NONE, FB_MAP_PRIVATE | FB_MAP_ANON, -1);
    result = mlock(none, 3 * P);
    row("mlock.PROT_NONE", "%s, %ld", r(result), wired() - before);
    row("munlock.PROT_NONE", "%s", r(munlock(none, 3 * P)));
    char *guard = map_as(3, FB_PROT_NONE, FB_MAP_GUARD, -1);
    result = mlock(guard, 3 * P);
    row("mlock.MAP_GUARD", "%s, %ld", r(result), wired() - before);
    row("munlock.MAP_GUARD", "%s", r(munlock(guard, 3 * P)));
    char *mixed = map(3);
    mprotect(mixed + P, P, FB_PROT_NONE);
    result = mlock(mixed, 3 * P);
    row("mlock.one PROT_NONE page inside", "%s, %ld", r(result), wired() - before);
    row("munlock.one PROT_NONE page inside", "%s", r(munlock(mixed, 3 * P)));

    int fd = file_of(8 * P);
    char *reading = map_as(2, FB_PROT_READ, FB_MAP_PRIVATE | FB_MAP_ANON, -1);
    char *own = map_as(2, FB_PROT_READ, FB_MAP_PRIVATE, fd);
    char *shared = map_as(2, FB_PROT_READ, FB_MAP_SHARED, fd);
    char *common = map_as(2, FB_PROT_READ | FB_PROT_WRITE, FB_MAP_SHARED | FB_MAP_ANON, -1);
    row("mlock.PROT_READ anonymous", "%s", r(mlock(reading, 2 * P)));
    row("mlock.file private read-only", "%s", r(mlock(own, 2 * P)));
    row("mlock.file shared read-only", "%s", r(mlock(shared, 2 * P)));
    row("mlock.anonymous shared", "%s", r(mlock(common, 2 * P)));
    munlockall();
    int half = file_of(P);
    char *past = map_as(2, FB_PROT_READ, FB_MAP_SHARED, half);
    result = mlock(past, 2 * P);
    row("mlock.past end of file", "%s, %ld", r(result), wired() - before);
    standin_set("posix_shm", 1);
    row("POSIX shared memory past its end", "mlock %s, mlockall %s", r(mlock(past, 2 * P)), r(mlockall(FB_MCL_CURRENT)));
    standin_set("posix_shm", 0);
    standin_set("unreadable", (long) own);
    const char *by_mlock = r(mlock(own, 2 * P));
    row("unreadable block", "mlock %s, mlockall %s", by_mlock, r(mlockall(FB_MCL_CURRENT)));
    life("aio.unreadable block", block_of(own, 2 * P));
    standin_set("unreadable", 0);
    row("mlockall.past end of file", "%s", r(mlockall(FB_MCL_CURRENT)));
    munlockall();
    unmap(past, 2);
    char *stack = map_as(16, FB_PROT_READ | FB_PROT_WRITE, FB_MAP_STACK, -1);
    row("mlock.MAP_STACK whole", "%s", r(mlock(stack, 16 * P)));
    row("mlock.MAP_STACK top page", "%s", r(mlock(stack + 15 * P, P)));
    munlockall();

    char *m = map(2);
    mlock(m, 2 * P);
    result = mprotect(m, 2 * P, FB_PROT_NONE);
    row("mprotect of locked", "%s, %ld", r(result), wired() - before);
    result = munlock(m, 2 * P);
    row("munlock after mprotect", "%s, %ld", r(result), wired() - before);
    row("mlock after mprotect", "%s", r(mlock(m, 2 * P)));
    mprotect(m, 2 * P, FB_PROT_READ | FB_PROT_WRITE);
    memset(m, 'x', 2 * P);
    mlock(m, 2 * P);
    char vec[2];
    mincore(m, 2 * P, vec);
    int written = vec[0] & 0xff;
    int dontneed = madvise(m, 2 * P, FB_MADV_DONTNEED);
    int free_of = madvise(m, 2 * P, FB_MADV_FREE);
    row("madvise of locked", "%s, %s, %s, %ld", r(dontneed), r(free_of), m[P] == 'x' ? "kept" : "lost", wired() - before);
    int zero = minherit(m, 2 * P, FB_INHERIT_ZERO);
    int nothing = minherit(m, 2 * P, FB_INHERIT_NONE);
    int nocore = madvise(m, 2 * P, FB_MADV_NOCORE);
    row("minherit and NOCORE of locked", "%s, %s, %s", r(zero), r(nothing), r(nocore));
    mincore(m, 2 * P, vec);
    row("mincore of locked", "written 0x%x, after MADV_FREE 0x%x", written, vec[0] & 0xff);
    char *gone = map(4);
    memset(gone, 'x', 4 * P);
    mlock(gone, 4 * P);
    standin_set("limit_cur", wired() * P);
    int full = mlock(m, 1);
    const char *at_limit = r(full);
    mprotect(gone, 4 * P, FB_PROT_NONE);
    row("limit after PROT_NONE", "before %s, after %s; flagged %d", at_limit, r(mlock(m, 1)), is_user_wired(gone, 4));
    standin_set("limit_cur", -1);
    munlock(gone, 4 * P);
    unmap(gone, 4);
    char *six = map(6);
    mlock(six + 2 * P, 2 * P);
    int locked = is_user_wired(six + 2 * P, 2);
    int around = is_user_wired(six, 2) + is_user_wired(six + 4 * P, 2);
    munlock(six + 2 * P, 2 * P);
    row("vmmap USER_WIRED", "%d, around %d, after munlock %d", locked, around, is_user_wired(six + 2 * P, 2));
    munlockall();
}

static void limits(void) {
    char *m = map(64);
    for (int user = 0; user <= 1001; user += 1001) {
        standin_set("euid", user);
        standin_set("limit_cur", 16 * P);
        row(user == 0 ? "limit.over, root" : "limit.over, uid 1001", "%s", r(mlock(m, 17 * P)));
    }
    standin_set("euid", 0);
    mlock(m, 16 * P);
    row("limit.same again", "%s", r(mlock(m, 16 * P)));
    row("limit.empty at full", "%s", r(mlock(m, 0)));
    munlock(m, 16 * P);
    mlock(m, 8 * P);
    row("limit.8 locked, 0 to 12", "%s", r(mlock(m, 12 * P)));
    row("limit.8 locked, 8 to 16", "%s", r(mlock(m + 8 * P, 8 * P)));
    munlockall();
    standin_set("limit_cur", 4095);
    row("limit.4095", "%s", r(mlock(m, 1)));
    standin_set("limit_cur", 8191);
    row("limit.8191", "%s", r(mlock(m, 1)));
    munlockall();
    standin_set("limit_cur", 0);
    row("limit.0, empty", "%s", r(mlock(m, 0)));
    standin_set("unprivileged_mlock", 0);
    standin_set("euid", 1001);
    row("order.EPERM before EINVAL", "%s", r(mlock(m, ~0UL)));
    standin_set("unprivileged_mlock", 1);
    row("order.EINVAL before ENOMEM", "%s", r(mlock(m, ~0UL)));
    standin_boot();

    standin_set("others_wired", 401644 - 8);
    mlock(m, 8 * P);
    row("max_user_wired.mlock", "%s", r(mlock(m + 8 * P, P)));
    row("max_user_wired.mlockall", "%s", r(mlockall(FB_MCL_CURRENT)));
    row("max_user_wired.locked again", "%s", r(mlock(m, 8 * P)));
    munlockall();
    long value = 1000;
    int root = sysctlbyname("vm.max_user_wired", NULL, NULL, &value, sizeof value);
    standin_set("euid", 1001);
    int other = sysctlbyname("vm.max_user_wired", NULL, NULL, &value, sizeof value);
    row("max_user_wired.set", "root %s, uid 1001 %s", r(root), r(other));
    standin_boot();
    unmap(m, 64);
}

/* A rule process:PID:memorylocked:deny=16 pages. */
static void rctl(void) {
    char *m = map(32);
    standin_set("racct", 1);
    standin_set("rctl_memorylocked", 16 * P);
    const char *over = r(mlock(m, 17 * P));
    mlock(m, 16 * P);
    const char *again = r(mlock(m, 16 * P));
    const char *current = r(mlockall(FB_MCL_CURRENT));
    row("rctl", "mlock %s, same again %s, mlockall CURRENT %s, FUTURE %s", over, again, current, r(mlockall(FB_MCL_FUTURE)));
    munlockall();
    standin_boot();
    unmap(m, 32);
}

static void set_of_four(const char *key, char *m) {
    const char *lock = r(mlock(m, P));
    const char *empty = r(mlock(m, 0));
    const char *unlock = r(munlock(m, P));
    const char *all = r(mlockall(FB_MCL_FUTURE));
    const char *no_flags = r(mlockall(0));
    row(key, "mlock %s, empty %s, munlock %s, mlockall %s, flags 0 %s, munlockall %s", lock, empty, unlock, all, no_flags,
            r(munlockall()));
}

static struct fb_aiocb *block_of(void *buf, size_t nbytes) {
    struct fb_aiocb *cb = calloc(1, sizeof *cb);
    cb->aio_fildes = -1;
    cb->aio_buf = buf;
    cb->aio_nbytes = nbytes;
    return cb;
}

/* Until threads are at so many jobs and no other one is queued. */
static void wait_until_running(long jobs) {
    while (standin_get("queued") != 0 || standin_get("running") != jobs) {
        nap(1);
    }
}

static int wait_for(struct fb_aiocb *cb) {
    int number;
    while ((number = aio_error(cb)) == FB_EINPROGRESS) {
        nap(1);
    }
    return number;
}

/* Submit, final aio_error, aio_return. */
static void life(const char *key, struct fb_aiocb *cb) {
    int submit = aio_mlock(cb);
    if (submit != 0) {
        row(key, "submit %s", r(submit));
        return;
    }
    int number = wait_for(cb);
    row(key, "submit 0; %s; return %s", name_of(number), r(aio_return(cb)));
}

static void privileges(void) {
    char *m = map(4);
    standin_set("unprivileged_mlock", 0);
    standin_set("euid", 1001);
    set_of_four("unprivileged_mlock=0, uid 1001", m);
    life("unprivileged_mlock=0, uid 1001, aio_mlock", block_of(m, P));
    standin_set("euid", 0);
    set_of_four("unprivileged_mlock=0, root", m);
    standin_boot();
    mlock(m, P);
    standin_set("jailed", 1);
    set_of_four("jail, root", m);
    standin_set("euid", 1001);
    set_of_four("jail, uid 1001", m);
    standin_set("mlock_allowed", 1);
    set_of_four("jail with allow.mlock, uid 1001", m);
    standin_boot();
    standin_set("capmode", 1);
    set_of_four("capsicum", m);
    life("capsicum, aio_mlock", block_of(m, P));
    standin_boot();
    munlockall();
    unmap(m, 4);
}

static void all(void) {
    row("mlockall.flags", "%s, %s, %s", r(mlockall(0)), r(mlockall(4)), r(mlockall(9)));
    row("munlockall.nothing locked", "%s", r(munlockall()));
    char *m = map(8);
    mlock(m, P);
    mlockall(FB_MCL_FUTURE);
    munlockall();
    long none = wired();
    char *later = map(1);
    row("munlockall.undoes", "%ld, later %ld", none, wired());
    unmap(later, 1);

    standin_set("limit_cur", 1 << 20);
    row("mlockall.CURRENT over limit", "%s", r(mlockall(FB_MCL_CURRENT)));
    int result = mlockall(FB_MCL_CURRENT | FB_MCL_FUTURE);
    later = map(1);
    row("mlockall.both over limit", "%s, later wired %ld", r(result), wired());
    unmap(later, 1);
    standin_set("limit_cur", 0);
    result = mlockall(FB_MCL_FUTURE);
    void *refused = mmap(NULL, P, FB_PROT_READ, FB_MAP_PRIVATE | FB_MAP_ANON, -1, 0);
    int first = errno;
    void *also = mmap(NULL, P, FB_PROT_NONE, FB_MAP_PRIVATE | FB_MAP_ANON, -1, 0);
    row("mlockall.FUTURE, limit 0", "%s; mmap %s, PROT_NONE %s", r(result), refused == (void *) -1 ? name_of(first) : "0",
            also == (void *) -1 ? name_of(errno) : "0");
    munlockall();
    later = map(1);
    row("munlockall.ends that", "%s", later == (void *) -1 ? "-1" : "0");
    unmap(later, 1);
    standin_boot();

    standin_set("others_wired", 401644);
    mlockall(FB_MCL_FUTURE);
    long before = wired();
    later = map(4);
    row("gap.FUTURE at max_user_wired", "%s, %ld", later == (void *) -1 ? "-1" : "0", wired() - before);
    munlockall();
    unmap(later, 4);
    standin_boot();
    char *dark = map_as(4, FB_PROT_NONE, FB_MAP_PRIVATE | FB_MAP_ANON, -1);
    result = mlockall(FB_MCL_CURRENT | FB_MCL_FUTURE);
    char *second = map_as(4, FB_PROT_NONE, FB_MAP_PRIVATE | FB_MAP_ANON, -1);
    before = wired();
    mprotect(dark, 4 * P, FB_PROT_READ | FB_PROT_WRITE);
    mprotect(second, 4 * P, FB_PROT_READ | FB_PROT_WRITE);
    dark[0] = second[0] = 1;
    row("gap.PROT_NONE made readable later", "%d; CURRENT %d, FUTURE %d", result, is_user_wired(dark, 4),
            is_user_wired(second, 4));

    char *part = map(4);
    int wired_by_future = is_user_wired(part, 4);
    result = munlock(part + P, P);
    row("munlock under mlockall", "%d; %d, %d", wired_by_future, result, is_user_wired(part + P, 1));
    result = mlockall(FB_MCL_CURRENT);
    later = map(2);
    row("mlockall.CURRENT leaves FUTURE", "%d, %d", result, is_user_wired(later, 2));
    int pipe_of[2];
    syscall(SYS_pipe2, pipe_of, 0);
    pid_t child = fork();
    if (child == 0) {
        char *own = map(2);
        char text = '0' + is_user_wired(own, 2);
        syscall(SYS_write, pipe_of[1], &text, 1);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    char text = '?';
    syscall(SYS_read, pipe_of[0], &text, 1);
    row("fork under FUTURE", "%c", text);
    munlockall();
}

static volatile sig_atomic_t signalled;
static void *volatile value_of_signal;

static void on_signal(int number, siginfo_t *info, void *context) {
    (void) number;
    (void) context;
    signalled++;
    value_of_signal = info->si_value.sival_ptr;
}

static void aio(void) {
    char *m = map(512);
    struct fb_aiocb *cb = block_of(m, P);
    struct fb_timespec at_once = {0, 0}, second = {1, 0};
    const struct fb_aiocb *one[] = {cb};
    struct fb_aiocb *out = cb;
    row("aio_suspend before any use", "%s", r(aio_suspend(one, 1, &at_once)));
    row("aio.never submitted", "%s; return %s", name_of(aio_error(cb)), r(aio_return(cb)));

    standin_set("aio_hold", 1);
    int result = aio_mlock(cb);
    row("aio.submit", "%s, %s", r(result), name_of(aio_error(cb)));
    result = (int) aio_return(cb);
    row("aio.return in progress", "%s, then %s", r(result), name_of(aio_error(cb)));
    row("aio_suspend pending", "%s", r(aio_suspend(one, 1, &at_once)));
    int fd = file_of(P), other = file_of(P);
    struct fb_aiocb *with_file = block_of(m + P, P), *queued[40];
    with_file->aio_fildes = fd;
    aio_mlock(with_file);
    wait_until_running(2);
    char text[128];
    snprintf(text, sizeof text, "%s, other %s, closed %s", r(aio_cancel(fd, with_file)), r(aio_cancel(other, with_file)),
            r(aio_cancel(999, with_file)));
    row("aio_cancel running", "%s", text);
    /* All workers are busy. */
    standin_set("aio_queue_hold", 1);
    int called_off = 0, ended_at_once = 0;
    for (int i = 0; i < 40; i++) {
        queued[i] = block_of(m + 2 * P, P);
        queued[i]->aio_fildes = fd;
        aio_mlock(queued[i]);
    }
    for (int i = 0; i < 40; i++) {
        called_off += aio_cancel(fd, queued[i]) == FB_AIO_CANCELED;
        ended_at_once += aio_error(queued[i]) == FB_ECANCELED;
    }
    row("aio_cancel queued", "1 for %d of 40, ECANCELED at once %d", called_off, ended_at_once);
    row("aio_cancel all of a descriptor", "%s", r(aio_cancel(fd, NULL)));
    standin_set("aio_queue_hold", 0);
    struct fb_aiocb copy = *cb;
    int error_of_copy = aio_error(&copy);
    row("aio.copy elsewhere", "%s; return %s", name_of(error_of_copy), r(aio_return(&copy)));
    pid_t child = fork();
    if (child == 0) {
        _exit(aio_return(cb) == -1 ? errno : 0);
    }
    int status;
    waitpid(child, &status, 0);
    row("aio.forked child", "%s", name_of(WEXITSTATUS(status)));
    standin_set("aio_hold", 0);
    wait_for(cb);
    for (int i = 0; i < 40; i++) {
        aio_return(queued[i]);
    }
    wait_for(with_file);
    row("aio_cancel done, no match or none", "%s", r(aio_cancel(fd, NULL)));
    aio_return(with_file);
    row("aio_suspend completed", "%s", r(aio_suspend(one, 1, NULL)));
    int number = aio_error(cb);
    result = (int) aio_return(cb);
    munlock(m + P, 2 * P);
    row("aio.success", "%s; return %s, locked %d", name_of(number), r(result), is_user_wired(m, 1));
    row("aio.return twice", "%s", r(aio_return(cb)));
    row("aio.error after return", "%s", name_of(aio_error(cb)));
    const struct fb_aiocb *nothing[] = {NULL};
    snprintf(text, sizeof text, "returned %s, NULL %s, n=0 %s, n=-1 %s, n=1000000 %s", r(aio_suspend(one, 1, NULL)),
            r(aio_suspend(nothing, 1, NULL)), r(aio_suspend(one, 0, NULL)), r(aio_suspend(one, -1, NULL)),
            r(aio_suspend(one, 1000000, NULL)));
    row("aio_suspend others", "%s", text);
    munlockall();

    char *hole = map(3);
    unmap(hole + P, 1);
    cb = block_of(hole + P, P);
    life("aio.unmapped", cb);
    row("aio.error after failed job's return", "%s", name_of(aio_error(cb)));
    life("aio.hole", block_of(hole, 3 * P));
    standin_set("limit_cur", 4 * P);
    life("aio.over limit", block_of(m, 5 * P));
    mlock(m, 4 * P);
    life("aio.same pages over limit", block_of(m, 4 * P));
    munlockall();
    standin_boot();
    standin_set("others_wired", 401644);
    life("aio.over max_user_wired", block_of(m, P));
    standin_boot();
    life("aio.overflow", block_of((void *) (~0UL - 8 * P), 16 * P));
    life("aio.nbytes over SSIZE_MAX", block_of(m, (~0UL >> 1) + 1));
    life("aio.nbytes SSIZE_MAX", block_of(far_below_the_end(m), ~0UL >> 1));
    life("aio.empty", block_of(m, 0));
    long before = wired();
    life("aio.empty unaligned", block_of(m + 5, 0));
    row("aio.empty unaligned wires", "%ld", wired() - before);
    munlockall();
    cb = block_of(m, P);
    cb->aio_offset = -77;
    cb->aio_reqprio = 12345;
    cb->aio_lio_opcode = 4321;
    life("aio.ignored members", cb);
    row("aio.opcode not changed", "%d", cb->aio_lio_opcode);

    cb = block_of(m, P);
    cb->aio_sigevent.sigev_notify = FB_SIGEV_THREAD;
    life("aio.SIGEV_THREAD", cb);
    cb = block_of(m, P);
    cb->aio_sigevent.sigev_notify = FB_SIGEV_SIGNAL;
    life("aio.SIGEV_SIGNAL 0", cb);
    row("aio.refused submit", "%s; return %s", name_of(aio_error(cb)), r(aio_return(cb)));
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    cb = block_of(m, P);
    cb->aio_sigevent.sigev_notify = FB_SIGEV_SIGNAL;
    cb->aio_sigevent.sigev_signo = FB_SIGUSR1;
    cb->aio_sigevent.sigev_value.sival_ptr = (void *) 0x1234;
    life("aio.SIGEV_SIGNAL", cb);
    while (!signalled) {
        nap(1);
    }
    row("aio.signal", "%d, value %p", (int) signalled, value_of_signal);

    int kq = kqueue();
    cb = block_of(m, P);
    cb->aio_sigevent.sigev_notify = FB_SIGEV_KEVENT;
    cb->aio_sigevent.sigev_signo = kq;
    cb->aio_sigevent.sigev_value.sival_ptr = (void *) 0x5678;
    aio_mlock(cb);
    struct fb_kevent event;
    int events = kevent(kq, NULL, 0, &event, 1, NULL);
    row("aio.SIGEV_KEVENT", "%d, filter %d, ident %s, udata %p; return %s", events, event.filter,
            event.ident == (uintptr_t) cb ? "aiocb" : "?", event.udata, r(aio_return(cb)));
    cb->aio_sigevent.sigev_signo = 998;
    life("aio.SIGEV_KEVENT bad", cb);
    close(kq);

    row("aio.NULL", "%s", r(aio_mlock(NULL)));
    row("aio.bad pointer", "%s", r(aio_mlock((void *) (hole + P))));

    standin_set("aio_hold", 1);
    static struct fb_aiocb many[300];
    int accepted = 0;
    for (; accepted < 300; accepted++) {
        many[accepted] = *block_of(m + accepted * P, P);
        if (aio_mlock(&many[accepted]) != 0) {
            break;
        }
    }
    snprintf(text, sizeof text, "%d, then %s", accepted, r(-1));
    standin_set("aio_hold", 0);
    for (int i = 0; i < accepted; i++) {
        wait_for(&many[i]);
    }
    int still = aio_mlock(&many[accepted]);
    const char *after_waiting = r(still);
    aio_return(&many[0]);
    row("aio.queue full", "%s; all done %s; one returned %s", text, after_waiting, r(aio_mlock(&many[accepted])));
    wait_for(&many[accepted]);
    for (int i = 1; i <= accepted; i++) {
        aio_return(&many[i]);
    }
    standin_set("others_aio", 1023);
    aio_mlock(&many[0]);
    row("aio.1025th over all", "%s", r(aio_mlock(&many[1])));
    wait_for(&many[0]);
    aio_return(&many[0]);
    standin_boot();
    munlockall();

    out = &copy;
    result = (int) aio_waitcomplete(&out, &at_once);
    row("aio_waitcomplete none, 0", "%s, %s", r(result), out == NULL ? "NULL" : "?");
    out = &copy;
    result = (int) aio_waitcomplete(&out, &second);
    row("aio_waitcomplete none, 1 s", "%s, %s", r(result), out == NULL ? "NULL" : "?");
    cb = block_of(m, P);
    aio_mlock(cb);
    result = (int) aio_waitcomplete(&out, NULL);
    row("aio_waitcomplete", "%s, %s; return %s", r(result), out == cb ? "aiocb" : "?", r(aio_return(cb)));
    cb = block_of(hole + P, P);
    aio_mlock(cb);
    result = (int) aio_waitcomplete(&out, NULL);
    row("aio_waitcomplete failed", "%s, %s", r(result), out == cb ? "aiocb" : "?");

    standin_set("aio_hold", 1);
    cb = block_of(m, P);
    int first = aio_mlock(cb), again = aio_mlock(cb);
    standin_set("aio_hold", 0);
    wait_until_running(0);
    const char *one_by_one[3];
    for (int i = 0; i < 3; i++) {
        one_by_one[i] = r(aio_return(cb));
    }
    row("aio.same aiocb twice", "%s, %s; return %s, %s, %s", r(first), r(again), one_by_one[0], one_by_one[1],
            one_by_one[2]);
    standin_set("aio_hold", 1);
    cb = block_of(m, P);
    aio_mlock(cb);
    memset(cb, 0xa5, sizeof *cb);
    result = aio_error(cb);
    standin_set("aio_hold", 0);
    int last = wait_for(cb);
    row("aio.overwritten", "%s, %s; return %s", name_of(result), name_of(last), r(aio_return(cb)));
    munlockall();

    before = wired();
    char *gone = map(64);
    standin_set("aio_hold", 1);
    cb = block_of(gone, 64 * P);
    aio_mlock(cb);
    wait_until_running(1);
    unmap(gone, 64);
    standin_set("aio_hold", 0);
    last = wait_for(cb);
    aio_return(cb);
    row("aio.munmap during the job", "%s, %ld", name_of(last), wired() - before);
    standin_set("aio_hold", 1);
    cb = block_of(m, P);
    aio_mlock(cb);
    wait_until_running(1);
    result = munlock(m, P);
    standin_set("aio_hold", 0);
    last = wait_for(cb);
    aio_return(cb);
    row("aio.munlock during the job", "%d, %s, locked %d", result, name_of(last), is_user_wired(m, 1));
    munlockall();

    cb = block_of(m, P);
    cb->aio_lio_opcode = FB_LIO_MLOCK;
    struct fb_aiocb *list[] = {cb};
    result = lio_listio(1, list, 1, NULL);
    row("lio_listio", "%s, %s", r(result), name_of(aio_error(cb)));

    child = fork();
    if (child == 0) {
        standin_set("aio_hold", 1);
        cb = block_of(m, P);
        aio_mlock(cb);
        exit(aio_error(cb));
    }
    waitpid(child, &status, 0);
    row("exit with a job pending", "%s, %s", WIFEXITED(status) ? "clean" : "?", name_of(WEXITSTATUS(status)));
}

int main(void) {
    /* stdout's buffer is mapped now and not under a test. */
    row("driver", "0");
    layout();
    defaults();
    aio();
    ranges();
    kinds();
    limits();
    rctl();
    privileges();
    all();
    return 0;
}
