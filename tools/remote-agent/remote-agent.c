/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote-agent: hands out its process. Whoever knows the key calls functions of this system in it, with any arguments, and
 * reads and writes its memory; see README.md. A test tool: the backend runs elsewhere, in a JVM, and this is the kernel's side.
 *
 *     cc -DAGENT_THREADS -o remote-agent remote-agent.c -lpthread       (FreeBSD, Linux, most others)
 *     cc -o remote-agent remote-agent.c -lsocket -lnsl                  (Solaris; IRIX and HP-UX need no libraries)
 *     ./remote-agent [-a ADDRESS] [-p PORT] [-k KEYFILE]
 *
 * C89 and POSIX.1b. Each connection is a session, a process of its own, so that nothing a session locked or limited outlives
 * it. Without AGENT_THREADS a session makes one call at a time, and refuses those that wait for others.
 *
 * The wire: the client sends "pagelock-remote 1 KEY\n"; the answer is "ok", a tab and facts with tabs between, or "no", a tab
 * and the reason, and a line end. Then requests, each of them
 *     length (4 bytes, of what follows), id (4), length of the name (1), name, number of arguments (1), the arguments
 * of which each is 'i' and 8 bytes, or 'm', 1 for in | 2 for out, a length (4) and, if it goes in, so many bytes. Answers are
 *     length (4), id (4), 0, result (8), errno (4), what goes out
 *     length (4), id (4), 1, why the session ends
 * Numbers are big-endian; the contents of memory are in this machine's order. Answers may overtake each other.
 */
#ifdef AGENT_STANDIN
/* Included by a file that has declared another system's functions and numbers: a stand-in, on Linux. */
#else
#if defined(__linux__)
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#elif defined(__sun)
#define __EXTENSIONS__
#elif defined(__hpux)
#define _HPUX_SOURCE
#elif defined(__sgi)
#define _SGI_SOURCE
#endif
#endif

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef AGENT_THREADS
#include <pthread.h>
#endif

#ifndef AGENT_STANDIN
#include <sys/mman.h>
#include <sys/resource.h>
#if defined(__linux__)
#include <sys/ioctl.h>
#include <sys/prctl.h>
#elif defined(__FreeBSD__)
#define AGENT_BSD
#define AGENT_FREEBSD
#include <sys/capsicum.h>
#include <sys/event.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <aio.h>
#elif defined(__NetBSD__) || defined(__OpenBSD__) || defined(__DragonFly__)
#define AGENT_BSD
#include <sys/event.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#elif defined(__APPLE__)
#define AGENT_MACOS
#include <sys/sysctl.h>
#include <mach/mach.h>
#include <mach/mach_vm.h>
#elif defined(__sun)
#define AGENT_SUN
#include <sys/lock.h>
#include <priv.h>
#include <rctl.h>
#elif defined(__hpux)
#define AGENT_HPUX
#include <sys/lock.h>
#include <sys/privgrp.h>
#elif defined(__sgi)
#define AGENT_IRIX
#include <sys/lock.h>
#endif
#endif

#if defined(__hpux) || defined(__sgi)
typedef int agent_length;
#else
typedef socklen_t agent_length;
#endif

#if !defined(MAP_ANON) && defined(MAP_ANONYMOUS)
#define MAP_ANON MAP_ANONYMOUS
#endif
#ifndef MAP_FAILED
#define MAP_FAILED ((void *)-1)
#endif
#ifndef INADDR_NONE
#define INADDR_NONE ((unsigned long)0xffffffff)
#endif
#if !defined(AGENT_LINUX) && defined(__linux__) && !defined(AGENT_STANDIN)
#define AGENT_LINUX
#endif

enum { FRAME = 512 * 1024, ARGUMENTS = 8, SESSIONS = 16, SECONDS_FOR_THE_KEY = 10 };
#ifdef AGENT_THREADS
enum { SERVERS = 8 };
#else
enum { SERVERS = 1 };
#endif

/* C89 has no type of 64 bits: two halves of 32. */
struct word {
    unsigned long high, low;
};

struct argument {
    int is_memory;
    int goes_out;
    struct word word;
    unsigned char *memory;
    unsigned long length;
};

struct request {
    unsigned long id;
    int count;
    struct argument arguments[ARGUMENTS];
    struct word result;
};

struct server {
    struct request request;
    /* As it came, and the memory arguments at addresses that suit every type. */
    unsigned char frame[FRAME];
    double aligned[FRAME / sizeof(double)];
    unsigned long length;
    int busy;
};

static struct server servers[SERVERS];
static int connection = -1;
static int is_in_child;
#ifdef AGENT_THREADS
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t dispatching = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed_work = PTHREAD_COND_INITIALIZER;
static int waiting_calls;
#endif

/* ---- numbers ---- */

static void put4(unsigned char *at, unsigned long value) {
    at[0] = (unsigned char)(value >> 24 & 0xff);
    at[1] = (unsigned char)(value >> 16 & 0xff);
    at[2] = (unsigned char)(value >> 8 & 0xff);
    at[3] = (unsigned char)(value & 0xff);
}

static unsigned long get4(const unsigned char *at) {
    return (unsigned long)at[0] << 24 | (unsigned long)at[1] << 16 | (unsigned long)at[2] << 8 | at[3];
}

/* Shifts twice, since one by the width of the type is undefined. */
#define HIGH(value) ((unsigned long)((value) >> 16 >> 16) & 0xffffffffUL)

static void result_signed(struct request *r, long value) {
    r->result.low = (unsigned long)value & 0xffffffffUL;
    r->result.high = sizeof value > 4 ? HIGH((unsigned long)value) : value < 0 ? 0xffffffffUL : 0;
}

static void result_unsigned(struct request *r, unsigned long value) {
    r->result.low = value & 0xffffffffUL;
    r->result.high = sizeof value > 4 ? HIGH(value) : 0;
}

static void result_pointer(struct request *r, void *value) {
    if (value == MAP_FAILED) {
        result_signed(r, -1);
    } else {
        result_unsigned(r, (unsigned long)value);
    }
}

/* What does not fit was refused before. */
static unsigned long number(const struct request *r, int n) {
    const struct word *w = &r->arguments[n].word;
    return sizeof(unsigned long) > 4 ? w->high << 16 << 16 | w->low : w->low;
}

static void *pointer(const struct request *r, int n) {
    return r->arguments[n].is_memory ? (void *)r->arguments[n].memory : (void *)number(r, n);
}

#define P(n) pointer(r, n)
#define Z(n) ((size_t)number(r, n))
#define L(n) ((long)number(r, n))
#define I(n) ((int)(long)number(r, n))
#define O(n) ((off_t)((off_t)r->arguments[n].word.high << 16 << 16 | (off_t)r->arguments[n].word.low))

/* ---- what every harness needs: memory, in this system's own numbers ---- */

static size_t page_bytes(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

static char *zeros(char *at, size_t length, int flags) {
#ifdef MAP_ANON
    return (char *)mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | flags, -1, 0);
#else
    char *mapped;
    int fd = open("/dev/zero", O_RDWR);
    if (fd < 0) {
        return (char *)MAP_FAILED;
    }
    mapped = (char *)mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, fd, 0);
    close(fd);
    return mapped;
#endif
}

/* A stand-in may keep account of the kinds of memory itself. */
#ifdef AGENT_STANDIN_MEMORY
#define AGENT_STANDIN_FILES
enum { NO_RESERVE = 1 };

static char *between_holes(size_t pages, int flags) {
    void *at = flags == NO_RESERVE ? standin_map_noreserve((long)pages) : standin_map((long)pages);
    return at == NULL ? (char *)MAP_FAILED : (char *)at;
}
#else
#ifdef MAP_NORESERVE
#define NO_RESERVE MAP_NORESERVE
#else
#define NO_RESERVE 0
#endif

/* With a hole on either side. */
static char *between_holes(size_t pages, int flags) {
    size_t page = page_bytes();
    char *all = zeros(NULL, (pages + 2) * page, flags);
    if (all == (char *)MAP_FAILED) {
        return all;
    }
    munmap(all, page);
    munmap(all + (pages + 1) * page, page);
    return all + page;
}
#endif

#ifdef AGENT_STANDIN_FILES
static char *map_file(size_t pages) {
    void *at = standin_map_file((long)pages);
    return at == NULL ? (char *)MAP_FAILED : (char *)at;
}

static int truncate_file(char *address, size_t pages) {
    return standin_truncate(address, (long)pages);
}
#else
enum { FILES = 64 };
static struct {
    char *address;
    int fd;
} mapped_files[FILES];

static char *map_file(size_t pages) {
    /* mkstemp(3) replaces the letters. */
    char name[] = "/tmp/remote-agentXXXXXX";
    size_t length = pages * page_bytes();
    char *at = (char *)MAP_FAILED;
    int fd;
    int i = 0;
    while (i < FILES && mapped_files[i].address != NULL) {
        i++;
    }
    if (i == FILES) {
        errno = EMFILE;
        return at;
    }
    fd = mkstemp(name);
    if (fd < 0) {
        return at;
    }
    unlink(name);
    if (ftruncate(fd, (off_t)length) == 0) {
        at = (char *)mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (at == (char *)MAP_FAILED) {
        close(fd);
        return at;
    }
    mapped_files[i].address = at;
    mapped_files[i].fd = fd;
    return at;
}

static int truncate_file(char *address, size_t pages) {
    int i;
    for (i = 0; i < FILES; i++) {
        if (mapped_files[i].address != NULL && mapped_files[i].address == address) {
            return ftruncate(mapped_files[i].fd, (off_t)(pages * page_bytes()));
        }
    }
    errno = EBADF;
    return -1;
}
#endif

static void call_agent_map(struct request *r) {
    result_pointer(r, between_holes(Z(0), 0));
}

static void call_agent_map_noreserve(struct request *r) {
    result_pointer(r, between_holes(Z(0), NO_RESERVE));
}

static void call_agent_map_file(struct request *r) {
    result_pointer(r, map_file(Z(0)));
}

static void call_agent_truncate(struct request *r) {
    result_signed(r, truncate_file((char *)P(0), Z(1)));
}

static void call_agent_unmap(struct request *r) {
    result_signed(r, munmap(P(0), Z(1) * page_bytes()));
}

static void call_agent_remap(struct request *r) {
    result_pointer(r, zeros((char *)P(0), Z(1) * page_bytes(), MAP_FIXED));
}

static void call_agent_protect(struct request *r) {
    result_signed(r, mprotect(P(0), Z(1) * page_bytes(), PROT_NONE));
}

/* Takes access from every second page, so that each page is a mapping, until the kernel has no more. Returns how many it took. */
static void call_agent_split(struct request *r) {
    size_t page = page_bytes();
    size_t i = 0;
    while (i < Z(1) && mprotect((char *)P(0) + i * page, page, PROT_NONE) == 0) {
        i += 2;
    }
    result_unsigned(r, (unsigned long)(i / 2));
}

static void call_agent_read(struct request *r) {
    memcpy(r->arguments[1].memory, P(0), r->arguments[1].length);
    result_signed(r, 0);
}

static void call_agent_write(struct request *r) {
    memcpy(P(0), r->arguments[1].memory, r->arguments[1].length);
    result_signed(r, 0);
}

static void call_agent_allocate(struct request *r) {
    result_pointer(r, calloc(1, Z(0)));
}

static void call_agent_free(struct request *r) {
    free(P(0));
    result_signed(r, 0);
}

/* Flags: 1 current, 2 future, 4 on fault; a further system's 4 means nothing, and is passed on to be refused. */
static void call_agent_mlockall(struct request *r) {
    int wanted = I(0);
    int flags = (wanted & 1 ? MCL_CURRENT : 0) | (wanted & 2 ? MCL_FUTURE : 0);
#ifdef MCL_ONFAULT
    flags |= wanted & 4 ? MCL_ONFAULT : 0;
#else
    flags |= wanted & 4;
#endif
    result_signed(r, mlockall(flags));
}

static void call_agent_msync(struct request *r) {
    result_signed(r, msync(P(0), Z(1), MS_SYNC | (I(2) ? MS_INVALIDATE : 0)));
}

/* ---- the witness ---- */

#ifdef AGENT_LINUX
/* The value of a field of the mapping at an address in /proc/self/smaps. Reads for itself, since a file that is locked in
   memory by mlockall would count. */
static int smaps_has(char *address, const char *flag) {
    char line[512];
    int inside = 0;
    int found = 0;
    FILE *file = fopen("/proc/self/smaps", "r");
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long from;
        unsigned long to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside = from <= (unsigned long)address && (unsigned long)address < to;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            found = strstr(line, flag) != NULL;
        }
    }
    fclose(file);
    return found;
}

static int page_locked(char *address) {
    return smaps_has(address, " lo");
}

static int page_on_fault(char *address) {
    return smaps_has(address, " lf");
}

/* By pagemap, which knows this process's page table. */
static int page_resident(char *address) {
    unsigned char entry[8];
    int fd = open("/proc/self/pagemap", O_RDONLY);
    int one = 1;
    int got;
    if (fd < 0) {
        return -1;
    }
    got = (int)pread(fd, entry, 8, (off_t)((unsigned long)address / page_bytes()) * 8);
    close(fd);
    return got != 8 ? 0 : entry[*(char *)&one == 1 ? 7 : 0] >> 7;
}

static long locked_bytes(void) {
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmLck:", 6) == 0) {
            kib = atol(line + 6);
        }
    }
    fclose(file);
    return kib < 0 ? -1 : kib * 1024;
}
#else
#if defined(AGENT_SUN) || defined(AGENT_BSD) || defined(AGENT_MACOS)
static int page_resident(char *address) {
    char state = 0;
    char *page = (char *)((unsigned long)address & ~(unsigned long)(page_bytes() - 1));
    return mincore((void *)page, page_bytes(), (void *)&state) == 0 ? state & 1 : -1;
}
#else
static int page_resident(char *address) {
    (void)address;
    return -1;
}
#endif

#ifdef AGENT_MACOS
/* Its msync does not look whether pages are locked. */
static int page_locked(char *address) {
    mach_vm_address_t at = (mach_vm_address_t)(unsigned long)address;
    mach_vm_size_t size;
    vm_region_basic_info_data_64_t info;
    mach_msg_type_number_t count = VM_REGION_BASIC_INFO_COUNT_64;
    mach_port_t name;
    return mach_vm_region(mach_task_self(), &at, &size, VM_REGION_BASIC_INFO_64, (vm_region_info_t)&info, &count, &name) == 0
        && at <= (mach_vm_address_t)(unsigned long)address && info.user_wired_count > 0;
}
#else
/* Has the kernel read a byte, so that the page is in the page table again; memory without access gives no signal so. */
static void bring_back(char *address) {
    char byte;
    int ends[2];
    if (pipe(ends) == 0) {
        if (write(ends[1], address, 1) == 1 && read(ends[0], &byte, 1) == 1) {
            errno = 0;
        }
        close(ends[0]);
        close(ends[1]);
    }
}

/*
 * A locked page cannot be invalidated: msync(2) of POSIX, EBUSY. No backend but that of Linux asks so. One that is not locked
 * leaves the page table by it (FreeBSD, sys/vm/vm_map.c, vm_map_sync), which a witness must not change.
 */
static int page_locked(char *address) {
    char *page = (char *)((unsigned long)address & ~(unsigned long)(page_bytes() - 1));
    int was_there = page_resident(page) == 1;
    int result = msync(page, page_bytes(), MS_SYNC | MS_INVALIDATE);
    /* ENOMEM: nothing is mapped there. */
    int locked = result == 0 || errno == ENOMEM ? 0 : errno == EBUSY ? 1 : -1;
    if (result == 0 && was_there) {
        bring_back(page);
    }
    return locked;
}
#endif

static int page_on_fault(char *address) {
    (void)address;
    return -1;
}

#ifdef AGENT_FREEBSD
/* Of the whole system: nothing else there should lock or unlock meanwhile. */
static long locked_bytes(void) {
    union {
        unsigned int narrow;
        unsigned long wide;
    } pages;
    size_t length = sizeof pages;
    if (sysctlbyname("vm.stats.vm.v_user_wire_count", &pages, &length, NULL, 0) != 0) {
        return -1;
    }
    return (long)(length == sizeof pages.narrow ? pages.narrow : pages.wide) * (long)page_bytes();
}
#else
static long locked_bytes(void) {
    return -1;
}
#endif
#endif

static void call_agent_locked(struct request *r) {
    result_signed(r, page_locked((char *)P(0)));
}

static void call_agent_on_fault(struct request *r) {
    result_signed(r, page_on_fault((char *)P(0)));
}

static void call_agent_resident(struct request *r) {
    result_signed(r, page_resident((char *)P(0)));
}

static void call_agent_locked_bytes(struct request *r) {
    result_signed(r, locked_bytes());
}

/* Which of the four the system answers, tried on a page of its own: 1 locked, 2 on fault, 4 resident, 8 bytes. */
static void call_agent_witness(struct request *r) {
    char *page = between_holes(1, 0);
    int can = 0;
    long before = locked_bytes();
    if (page == (char *)MAP_FAILED) {
        result_signed(r, -1);
        return;
    }
    *page = 1;
    can |= page_resident(page) == 1 ? 4 : 0;
    if (page_locked(page) == 0 && mlock((void *)page, page_bytes()) == 0) {
        can |= page_locked(page) == 1 ? 1 : 0;
        can |= page_on_fault(page) == 0 ? 2 : 0;
        can |= before >= 0 && locked_bytes() == before + (long)page_bytes() ? 8 : 0;
        munlock((void *)page, page_bytes());
        can &= page_locked(page) == 0 ? ~0 : ~1;
    }
    munmap((void *)page, page_bytes());
    result_signed(r, can);
}

/* ---- limits ---- */

#ifdef RLIMIT_MEMLOCK
/* Unlimited is 2^64-1, whatever it is here. */
static void put_limit(unsigned char *at, rlim_t value) {
    int i;
    for (i = 0; i < 8; i++) {
        at[i] = value == RLIM_INFINITY ? 0xff
            : (size_t)(7 - i) >= sizeof value
            ? 0
            : (unsigned char)(value >> 8 * (7 - i) & 0xff);
    }
}

static rlim_t get_limit(const unsigned char *at) {
    rlim_t value = 0;
    int i;
    if (at[0] == 0xff) {
        return RLIM_INFINITY;
    }
    for (i = 8 - (int)(sizeof value < 8 ? sizeof value : 8); i < 8; i++) {
        value = value << 8 | at[i];
    }
    return value;
}
#endif

/* Soft and hard, 8 bytes each, big-endian. */
static void call_agent_limit(struct request *r) {
#ifdef RLIMIT_MEMLOCK
    struct rlimit limit;
    int result = getrlimit(RLIMIT_MEMLOCK, &limit);
    if (result == 0 && r->arguments[0].length == 16) {
        put_limit(r->arguments[0].memory, limit.rlim_cur);
        put_limit(r->arguments[0].memory + 8, limit.rlim_max);
    }
    result_signed(r, result);
#else
    errno = EINVAL;
    result_signed(r, -1);
#endif
}

static void call_agent_set_limit(struct request *r) {
#ifdef RLIMIT_MEMLOCK
    struct rlimit limit;
    if (r->arguments[0].length == 16) {
        limit.rlim_cur = get_limit(r->arguments[0].memory);
        limit.rlim_max = get_limit(r->arguments[0].memory + 8);
        result_signed(r, setrlimit(RLIMIT_MEMLOCK, &limit));
        return;
    }
#endif
    errno = EINVAL;
    result_signed(r, -1);
}

/* ---- files, for systems that tell through them ---- */

#ifdef AGENT_STANDIN_PROC
static void call_agent_read_file(struct request *r) {
    int extended = strcmp((char *)P(0), "/proc/self/xmap") == 0;
    result_signed(r, standin_proc(extended, (char *)r->arguments[1].memory, (long)r->arguments[1].length));
}

static void call_agent_file_size(struct request *r) {
    result_signed(r, standin_object_size(strrchr((char *)P(0), '/') + 1));
}
#else
/* Returns how many bytes from the start of a file fit; -1 if it cannot be read. */
static void call_agent_read_file(struct request *r) {
    int fd = open((char *)P(0), O_RDONLY);
    unsigned long got = 0;
    long more = fd < 0 ? -1 : 1;
    while (more > 0 && got < r->arguments[1].length) {
        more = (long)read(fd, r->arguments[1].memory + got, r->arguments[1].length - got);
        got += more > 0 ? (unsigned long)more : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    result_signed(r, more < 0 ? -1 : (long)got);
}

/* The size of a regular file; -1 of anything else. */
static void call_agent_file_size(struct request *r) {
    struct stat status;
    int regular = stat((char *)P(0), &status) == 0 && S_ISREG(status.st_mode);
    result_signed(r, regular ? (long)status.st_size : -1);
}
#endif

/* ---- errno ---- */

static const struct {
    const char *name;
    int value;
} errors[] = {
    {"EPERM", EPERM},   {"ENOENT", ENOENT}, {"EINTR", EINTR},   {"EIO", EIO},       {"EBADF", EBADF},
    {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EFAULT", EFAULT}, {"EBUSY", EBUSY},   {"EINVAL", EINVAL},
    {"ENOSPC", ENOSPC}, {"ENOSYS", ENOSYS}, {"EAGAIN", EAGAIN}, {"EDEADLK", EDEADLK}, {"EMFILE", EMFILE},
};

static void call_agent_errno(struct request *r) {
    unsigned i;
    char *name = (char *)r->arguments[1].memory;
    for (i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].value == I(0) && r->arguments[1].length > strlen(errors[i].name)) {
            strcpy(name, errors[i].name);
            result_signed(r, 0);
            return;
        }
    }
    result_signed(r, -1);
}

/* ---- the system's functions ---- */

#define CALL(name, expression)                    \
    static void call_##name(struct request *r) { \
        result_signed(r, (long)(expression));     \
    }
#define CALL_POINTER(name, expression)            \
    static void call_##name(struct request *r) { \
        result_pointer(r, (void *)(expression));  \
    }

CALL(mlock, mlock(P(0), Z(1)))
CALL(munlock, munlock(P(0), Z(1)))
CALL(mlockall, mlockall(I(0)))
static void call_munlockall(struct request *r) {
    result_signed(r, munlockall());
}
CALL(msync, msync(P(0), Z(1), I(2)))
CALL(mprotect, mprotect(P(0), Z(1), I(2)))
CALL(munmap, munmap(P(0), Z(1)))
CALL_POINTER(mmap, mmap(P(0), Z(1), I(2), I(3), I(4), O(5)))
CALL(ftruncate, ftruncate(I(0), O(1)))
CALL(open, open((char *)P(0), I(1)))
CALL(close, close(I(0)))
CALL(read, read(I(0), P(1), Z(2)))
CALL(lseek, lseek(I(0), O(1), I(2)))
CALL(readlink, readlink((char *)P(0), (char *)P(1), Z(2)))
CALL(access, access((char *)P(0), I(1)))
CALL(sysconf, sysconf(I(0)))
static void call_getpagesize(struct request *r) {
    result_signed(r, (long)page_bytes());
}
static void call_getpid(struct request *r) {
    result_signed(r, (long)getpid());
}
static void call_getuid(struct request *r) {
    result_signed(r, (long)getuid());
}
static void call_geteuid(struct request *r) {
    result_signed(r, (long)geteuid());
}
static void call_getegid(struct request *r) {
    result_signed(r, (long)getegid());
}
CALL(getgroups, getgroups(I(0), (gid_t *)P(1)))
/* Otherwise the files of the process in /proc are root's from now on, and the witness cannot read them. */
static void stay_readable(void) {
#ifdef AGENT_LINUX
    int saved = errno;
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    errno = saved;
#endif
}

static void call_setuid(struct request *r) {
    result_signed(r, setuid((uid_t)I(0)));
    stay_readable();
}

/* Not for good, so that what a user without rights is refused can be undone. */
static void call_seteuid(struct request *r) {
#ifdef __hpux
    result_signed(r, setresuid((uid_t)-1, (uid_t)I(0), (uid_t)-1));
#else
    result_signed(r, seteuid((uid_t)I(0)));
#endif
    stay_readable();
}
CALL(setgid, setgid((gid_t)I(0)))
CALL(exit, (exit(I(0)), 0))
#ifdef RLIMIT_MEMLOCK
CALL(getrlimit, getrlimit(I(0), P(1)))
CALL(setrlimit, setrlimit(I(0), P(1)))
#endif

#ifdef AGENT_LINUX
CALL(mlock2, mlock2(P(0), Z(1), (unsigned)I(2)))
CALL(mincore, mincore(P(0), Z(1), P(2)))
CALL(madvise, madvise(P(0), Z(1), I(2)))
CALL(ioctl, ioctl(I(0), (unsigned long)L(1), P(2)))
/* The stat of a link itself: device, inode, owner and size, 8 bytes each, big-endian. */
static void call_agent_lstat(struct request *r) {
    struct stat status;
    unsigned char *at = r->arguments[1].memory;
    int result = lstat((char *)P(0), &status);
    if (result == 0 && r->arguments[1].length == 32) {
        put4(at, HIGH(status.st_dev));
        put4(at + 4, (unsigned long)(status.st_dev & 0xffffffffUL));
        put4(at + 8, HIGH(status.st_ino));
        put4(at + 12, (unsigned long)(status.st_ino & 0xffffffffUL));
        put4(at + 16, 0);
        put4(at + 20, (unsigned long)status.st_uid);
        put4(at + 24, HIGH(status.st_size));
        put4(at + 28, (unsigned long)(status.st_size & 0xffffffffUL));
    }
    result_signed(r, result);
}
#endif

#ifdef AGENT_BSD
CALL(mincore, mincore(P(0), Z(1), P(2)))
CALL(madvise, madvise(P(0), Z(1), I(2)))
CALL(minherit, minherit(P(0), Z(1), I(2)))
CALL(sysctl, sysctl((int *)P(0), (unsigned)I(1), P(2), (size_t *)P(3), P(4), Z(5)))
static void call_kqueue(struct request *r) {
    result_signed(r, kqueue());
}
CALL(kevent, kevent(I(0), P(1), I(2), P(3), I(4), P(5)))
#ifndef __OpenBSD__
CALL(sysctlbyname, sysctlbyname((char *)P(0), P(1), (size_t *)P(2), P(3), Z(4)))
#endif
#endif

#ifdef AGENT_FREEBSD
CALL(cap_getmode, cap_getmode((unsigned *)P(0)))
CALL(getpagesizes, getpagesizes((size_t *)P(0), I(1)))
CALL(aio_mlock, aio_mlock(P(0)))
CALL(aio_error, aio_error(P(0)))
CALL(aio_return, aio_return(P(0)))
CALL(aio_cancel, aio_cancel(I(0), P(1)))
CALL(aio_suspend, aio_suspend(P(0), I(1), P(2)))
#endif

#ifdef AGENT_MACOS
CALL(mincore, mincore(P(0), Z(1), P(2)))
CALL(sysctlbyname, sysctlbyname((char *)P(0), P(1), (size_t *)P(2), P(3), Z(4)))
static void call_mach_task_self(struct request *r) {
    result_signed(r, (long)mach_task_self());
}
CALL(mach_vm_region, mach_vm_region((mach_port_t)I(0), P(1), P(2), I(3), P(4), P(5), P(6)))
#endif

#ifdef AGENT_SUN
CALL(memcntl, memcntl((char *)P(0), Z(1), I(2), (char *)P(3), I(4), I(5)))
CALL(mincore, mincore(P(0), Z(1), P(2)))
CALL(priv_ineffect, priv_ineffect((char *)P(0)))
static void call_rctlblk_size(struct request *r) {
    result_signed(r, (long)rctlblk_size());
}
CALL(getrctl, getrctl((char *)P(0), P(1), P(2), (unsigned)I(3)))
CALL(rctlblk_get_privilege, rctlblk_get_privilege(P(0)))
CALL(rctlblk_get_local_action, rctlblk_get_local_action(P(0), (int *)P(1)))
static void call_rctlblk_get_value(struct request *r) {
    r->result.high = HIGH(rctlblk_get_value(P(0)));
    r->result.low = (unsigned long)(rctlblk_get_value(P(0)) & 0xffffffffUL);
}
#endif

#ifdef AGENT_UCB
extern int mctl(caddr_t, size_t, int, int);
CALL(mctl, mctl((char *)P(0), Z(1), I(2), I(3)))
#endif

#ifdef AGENT_HPUX
CALL(getprivgrp, getprivgrp(P(0)))
static void call_agent_privgrp_bytes(struct request *r) {
    result_signed(r, (long)(PRIV_MAXGRPS * sizeof(struct privgrp_map)));
}
#endif

#ifdef AGENT_IRIX
CALL(mpin, mpin(P(0), Z(1)))
CALL(munpin, munpin(P(0), Z(1)))
#endif

#if !defined(AGENT_STANDIN) && (defined(AGENT_SUN) || defined(AGENT_HPUX) || defined(AGENT_IRIX))
CALL(plock, plock(I(0)))
#endif

/* ---- children ---- */

enum { CHILDREN = 8 };
static struct {
    pid_t pid; /* 0: none */
    int fd;
} children[CHILDREN];

static void be_child(int fd);

/*
 * Forks a process with this one's memory, which makes the calls that agent_ask hands to it, one after the other, and may block in
 * them while the session goes on. It ends with agent_end_child or the session. Returns its number.
 */
static void call_agent_fork(struct request *r) {
    int ends[2];
    int i = 0;
    while (i < CHILDREN && children[i].pid != 0) {
        i++;
    }
    if (i == CHILDREN) {
        errno = EAGAIN;
        result_signed(r, -1);
        return;
    }
    result_signed(r, -1);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        return;
    }
    children[i].pid = fork();
    if (children[i].pid == 0) {
        close(ends[0]);
        be_child(ends[1]);
    }
    close(ends[1]);
    if (children[i].pid < 0) {
        close(ends[0]);
        children[i].pid = 0;
        return;
    }
    children[i].fd = ends[0];
    result_signed(r, i);
}

static int is_child(int i) {
    if (i < 0 || i >= CHILDREN || children[i].pid == 0) {
        errno = ECHILD;
        return 0;
    }
    return 1;
}

/* Hands a child a request, as it comes over the wire. */
static void call_agent_ask(struct request *r) {
    const struct argument *frame = &r->arguments[1];
    int there = is_child(I(0));
    result_signed(r, there && write(children[I(0)].fd, frame->memory, frame->length) == (long)frame->length ? 0 : -1);
}

/* Takes a child's answer, as it goes over the wire. Returns its length; 0 if none comes in the given milliseconds. */
static void call_agent_answer(struct request *r) {
    struct argument *to = &r->arguments[1];
    unsigned long length = 4;
    unsigned long have = 0;
    struct timeval patience;
    fd_set from;
    int there = is_child(I(0));
    result_signed(r, -1);
    if (!there || to->length < 4) {
        return;
    }
    FD_ZERO(&from);
    FD_SET(children[I(0)].fd, &from);
    patience.tv_sec = L(2) / 1000;
    patience.tv_usec = L(2) % 1000 * 1000;
    if (select(children[I(0)].fd + 1, &from, NULL, NULL, &patience) == 0) {
        result_signed(r, 0);
        return;
    }
    while (have < length) {
        long got = (long)read(children[I(0)].fd, to->memory + have, length - have);
        if (got <= 0) {
            return;
        }
        have += (unsigned long)got;
        if (have == 4) {
            length = 4 + get4(to->memory);
            if (length > to->length) {
                errno = EINVAL;
                return;
            }
        }
    }
    result_unsigned(r, length);
}

/* Also one that blocks. Returns how it ended, as waitpid(2) says it. */
static void call_agent_end_child(struct request *r) {
    int status = 0;
    int i = I(0);
    if (!is_child(i)) {
        result_signed(r, -1);
        return;
    }
    kill(children[i].pid, SIGKILL);
    waitpid(children[i].pid, &status, 0);
    close(children[i].fd);
    children[i].pid = 0;
    result_signed(r, status);
}

static void call_agent_pause(struct request *r) {
    result_signed(r, pause());
}

/*
 * Arguments, a letter each: p a pointer, that is an address of this process or memory that comes along; m memory only; s a
 * text in memory, with its zero byte; z size_t, l long, i int, o off_t. The name of a call that may wait begins with '!'.
 */
static const struct function {
    const char *name;
    const char *arguments;
    void (*call)(struct request *);
} functions[] = {
#define F(name, arguments) {#name, arguments, call_##name}
    F(agent_map, "z"),
    F(agent_map_file, "z"),
    F(agent_map_noreserve, "z"),
    F(agent_unmap, "pz"),
    F(agent_remap, "pz"),
    F(agent_protect, "pz"),
    F(agent_split, "pz"),
    F(agent_truncate, "pz"),
    F(agent_read, "pm"),
    F(agent_write, "pm"),
    F(agent_allocate, "z"),
    F(agent_free, "p"),
    F(agent_mlockall, "i"),
    F(agent_msync, "pzi"),
    F(agent_locked, "p"),
    F(agent_on_fault, "p"),
    F(agent_resident, "p"),
    F(agent_locked_bytes, ""),
    F(agent_witness, ""),
    F(agent_limit, "m"),
    F(agent_set_limit, "m"),
    F(agent_read_file, "sm"),
    F(agent_file_size, "s"),
    F(agent_errno, "im"),
    F(agent_fork, ""),
    F(agent_ask, "im"),
    {"!agent_answer", "imi", call_agent_answer},
    F(agent_end_child, "i"),
    {"!agent_pause", "", call_agent_pause},
    F(mlock, "pz"),
    F(munlock, "pz"),
    F(mlockall, "i"),
    F(munlockall, ""),
    F(msync, "pzi"),
    F(mprotect, "pzi"),
    F(munmap, "pz"),
    F(mmap, "pziiio"),
    F(ftruncate, "io"),
    F(open, "si"),
    F(close, "i"),
    F(read, "ipz"),
    F(lseek, "ioi"),
    F(readlink, "spz"),
    F(access, "si"),
    F(sysconf, "i"),
    F(getpagesize, ""),
    F(getpid, ""),
    F(getuid, ""),
    F(geteuid, ""),
    F(getegid, ""),
    F(getgroups, "ip"),
    F(setuid, "i"),
    F(seteuid, "i"),
    F(setgid, "i"),
    F(exit, "i"),
#ifdef RLIMIT_MEMLOCK
    F(getrlimit, "ip"),
    F(setrlimit, "ip"),
#endif
#ifdef AGENT_LINUX
    F(mlock2, "pzi"),
    F(mincore, "pzp"),
    F(madvise, "pzi"),
    F(ioctl, "ilp"),
    F(agent_lstat, "sm"),
#endif
#ifdef AGENT_BSD
    F(mincore, "pzp"),
    F(madvise, "pzi"),
    F(minherit, "pzi"),
    F(sysctl, "pipppz"),
    F(kqueue, ""),
    {"!kevent", "ipipip", call_kevent},
#ifndef __OpenBSD__
    F(sysctlbyname, "spppz"),
#endif
#endif
#ifdef AGENT_FREEBSD
    F(cap_getmode, "p"),
    F(getpagesizes, "pi"),
    F(aio_mlock, "p"),
    F(aio_error, "p"),
    F(aio_return, "p"),
    F(aio_cancel, "ip"),
    {"!aio_suspend", "pip", call_aio_suspend},
#endif
#ifdef AGENT_MACOS
    F(mincore, "pzp"),
    F(sysctlbyname, "spppz"),
    F(mach_task_self, ""),
    F(mach_vm_region, "ippippp"),
#endif
#ifdef AGENT_SUN
    F(memcntl, "pzipii"),
    F(mincore, "pzp"),
    F(priv_ineffect, "s"),
    F(rctlblk_size, ""),
    F(getrctl, "sppi"),
    F(rctlblk_get_privilege, "p"),
    F(rctlblk_get_local_action, "pp"),
    F(rctlblk_get_value, "p"),
#endif
#ifdef AGENT_UCB
    F(mctl, "pzii"),
#endif
#ifdef AGENT_HPUX
    F(getprivgrp, "p"),
    F(agent_privgrp_bytes, ""),
#endif
#ifdef AGENT_IRIX
    F(mpin, "pz"),
    F(munpin, "pz"),
#endif
#if !defined(AGENT_STANDIN) && (defined(AGENT_SUN) || defined(AGENT_HPUX) || defined(AGENT_IRIX))
    F(plock, "i"),
#endif
#undef F
};
#define FUNCTIONS ((int)(sizeof functions / sizeof functions[0]))

/* ---- the session ---- */

static int send_all(const unsigned char *bytes, unsigned long length) {
    while (length > 0) {
        long sent = (long)send(connection, (const char *)bytes, length, 0);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return -1;
        }
        bytes += sent;
        length -= (unsigned long)sent;
    }
    return 0;
}

/* 0 at the end, also in the middle. */
static int receive_all(unsigned char *bytes, unsigned long length) {
    while (length > 0) {
        long got = (long)recv(connection, (char *)bytes, length, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return 0;
        }
        bytes += got;
        length -= (unsigned long)got;
    }
    return 1;
}

/* Says why, and ends the session. Also called by a signal. */
static void refuse_request(unsigned long id, const char *why) {
    unsigned char head[9];
    put4(head, 5 + (unsigned long)strlen(why));
    put4(head + 4, id);
    head[8] = 1;
    send_all(head, sizeof head);
    send_all((const unsigned char *)why, (unsigned long)strlen(why));
    _exit(1);
}

/* No id: whichever call it was. */
static void on_signal(int signal_number) {
    char why[] = "signal 00 ended the session";
    why[7] = (char)('0' + signal_number / 10 % 10);
    why[8] = (char)('0' + signal_number % 10);
    refuse_request(0xffffffffUL, why);
}

static const struct function *function_of(const char *name, unsigned length) {
    int i;
    for (i = 0; i < FUNCTIONS; i++) {
        const char *each = functions[i].name + (functions[i].name[0] == '!');
        if (strlen(each) == length && memcmp(each, name, length) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}

/* Whether a number is one of the parameter's type here. */
static int fits(const struct word *w, char type) {
    if (type == 'i') {
        return (w->high == 0 && w->low <= 0x7fffffffUL) || (w->high == 0xffffffffUL && w->low >= 0x80000000UL);
    }
    if (type == 'o' || sizeof(unsigned long) > 4) {
        return 1;
    }
    return w->high == 0 || (type == 'l' && w->high == 0xffffffffUL && w->low >= 0x80000000UL);
}

/* Reads what a frame asks for; NULL and the reason if it makes no sense. */
static const struct function *parse(struct server *w, const char **why) {
    const unsigned char *at = w->frame + 4;
    const unsigned char *end = w->frame + w->length;
    unsigned char *memory = (unsigned char *)w->aligned;
    unsigned char *memory_end = memory + sizeof w->aligned;
    struct request *r = &w->request;
    const struct function *function;
    int i;
    *why = "short request";
    if (end - at < 1 || end - at < 1 + at[0] + 1) {
        return NULL;
    }
    function = function_of((const char *)at + 1, at[0]);
    at += 1 + at[0];
    r->count = *at++;
    if (function == NULL) {
        *why = "unknown function";
        return NULL;
    }
    if (r->count != (int)strlen(function->arguments)) {
        *why = "wrong number of arguments";
        return NULL;
    }
    for (i = 0; i < r->count; i++) {
        struct argument *a = &r->arguments[i];
        char type = function->arguments[i];
        if (end - at < 9 && !(end - at >= 6 && at[0] == 'm')) {
            return NULL;
        }
        a->is_memory = at[0] == 'm';
        if ((at[0] != 'i' && at[0] != 'm') || (a->is_memory ? strchr("pms", type) : strchr("pzlio", type)) == NULL) {
            *why = "wrong kind of argument";
            return NULL;
        }
        if (!a->is_memory) {
            a->goes_out = 0;
            a->word.high = get4(at + 1);
            a->word.low = get4(at + 5);
            at += 9;
            if (!fits(&a->word, type)) {
                *why = "number too large for this system";
                return NULL;
            }
            continue;
        }
        a->goes_out = at[1] & 2;
        a->length = get4(at + 2);
        a->memory = memory;
        if (a->length > (unsigned long)(memory_end - memory)) {
            *why = "too much memory";
            return NULL;
        }
        memset(memory, 0, a->length);
        if (at[1] & 1) {
            if (a->length > (unsigned long)(end - at - 6)) {
                return NULL;
            }
            memcpy(memory, at + 6, a->length);
            at += a->length;
        }
        at += 6;
        if (type == 's' && memchr(memory, 0, a->length) == NULL) {
            *why = "text without an end";
            return NULL;
        }
        memory += (a->length + 15) & ~15UL;
    }
    if (at != end) {
        *why = "request with something behind it";
        return NULL;
    }
    return function;
}

static int answer(struct server *w, int error) {
    struct request *r = &w->request;
    unsigned char head[21];
    unsigned long length = 17;
    int status;
    int i;
    for (i = 0; i < r->count; i++) {
        length += r->arguments[i].is_memory && r->arguments[i].goes_out ? r->arguments[i].length : 0;
    }
    put4(head, length);
    put4(head + 4, r->id);
    head[8] = 0;
    put4(head + 9, r->result.high);
    put4(head + 13, r->result.low);
    put4(head + 17, (unsigned long)error);
#ifdef AGENT_THREADS
    pthread_mutex_lock(&writing);
#endif
    status = send_all(head, sizeof head);
    for (i = 0; status == 0 && i < r->count; i++) {
        if (r->arguments[i].is_memory && r->arguments[i].goes_out) {
            status = send_all(r->arguments[i].memory, r->arguments[i].length);
        }
    }
#ifdef AGENT_THREADS
    pthread_mutex_unlock(&writing);
#endif
    return status;
}

static void serve_request(struct server *w) {
    const char *why;
    const struct function *function;
    int error;
    w->request.id = get4(w->frame);
    function = parse(w, &why);
    if (function == NULL) {
        refuse_request(w->request.id, why);
        return;
    }
    if (function->name[0] == '!' && !is_in_child) {
#ifdef AGENT_THREADS
        int too_many;
        pthread_mutex_lock(&dispatching);
        too_many = ++waiting_calls > SERVERS - 2;
        pthread_cond_broadcast(&changed_work);
        pthread_mutex_unlock(&dispatching);
        if (too_many) {
            refuse_request(w->request.id, "too many calls that wait");
        }
#else
        refuse_request(w->request.id, "a call that waits needs an agent compiled with -DAGENT_THREADS");
#endif
    }
    errno = 0;
    function->call(&w->request);
    error = errno;
#ifdef AGENT_THREADS
    if (function->name[0] == '!' && !is_in_child) {
        pthread_mutex_lock(&dispatching);
        waiting_calls--;
        pthread_mutex_unlock(&dispatching);
    }
#endif
    if (answer(w, error) != 0) {
        _exit(0);
    }
}

/* A whole frame into a server's buffer. 0 at the end. */
static int receive_request(struct server *w) {
    unsigned char length[4];
    if (!receive_all(length, 4)) {
        return 0;
    }
    w->length = get4(length);
    if (w->length < 4 || w->length > FRAME) {
        refuse_request(0xffffffffUL, w->length < 4 ? "short request" : "request too long");
        return 0;
    }
    return receive_all(w->frame, w->length);
}

#ifdef AGENT_THREADS
static void *serve_calls(void *of) {
    struct server *w = (struct server *)of;
    while (w != NULL) {
        pthread_mutex_lock(&dispatching);
        while (!w->busy) {
            pthread_cond_wait(&changed_work, &dispatching);
        }
        pthread_mutex_unlock(&dispatching);
        serve_request(w);
        pthread_mutex_lock(&dispatching);
        w->busy = 0;
        pthread_cond_broadcast(&changed_work);
        pthread_mutex_unlock(&dispatching);
    }
    return NULL;
}

static int busy_servers(void) {
    int busy = 0;
    int i;
    for (i = 0; i < SERVERS; i++) {
        busy += servers[i].busy;
    }
    return busy;
}

static struct server *idle_server(void) {
    int i = 0;
    while (i < SERVERS && servers[i].busy) {
        i++;
    }
    return i < SERVERS ? &servers[i] : NULL;
}

static void serve(void) {
    struct server *w;
    int more = 1;
    int i;
    /* All of them now: under a limit and mlockall there may be no memory for a stack later. */
    for (i = 0; i < SERVERS; i++) {
        pthread_attr_t attributes;
        pthread_t thread;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 256 * 1024);
        if (pthread_create(&thread, &attributes, serve_calls, &servers[i]) != 0) {
            refuse_request(0xffffffffUL, "cannot start a thread");
        }
    }
    while (more) {
        pthread_mutex_lock(&dispatching);
        while ((w = idle_server()) == NULL) {
            pthread_cond_wait(&changed_work, &dispatching);
        }
        pthread_mutex_unlock(&dispatching);
        more = receive_request(w);
        pthread_mutex_lock(&dispatching);
        w->busy = more;
        pthread_cond_broadcast(&changed_work);
        pthread_mutex_unlock(&dispatching);
    }
    /* What was asked before the end is answered, unless it waits for others. */
    pthread_mutex_lock(&dispatching);
    while (busy_servers() > waiting_calls) {
        pthread_cond_wait(&changed_work, &dispatching);
    }
    pthread_mutex_unlock(&dispatching);
}
#else
static void serve(void) {
    while (receive_request(&servers[0])) {
        serve_request(&servers[0]);
    }
}
#endif

/* The other threads of the session are not here, and may have held what they share. */
static void be_child(int fd) {
    close(connection);
    connection = fd;
    memset(children, 0, sizeof children);
    is_in_child = 1;
#ifdef AGENT_THREADS
    pthread_mutex_init(&writing, NULL);
    pthread_mutex_init(&dispatching, NULL);
    pthread_cond_init(&changed_work, NULL);
#endif
    while (receive_request(&servers[0])) {
        serve_request(&servers[0]);
    }
    _exit(0);
}

static void say(const char *text) {
    send_all((const unsigned char *)text, (unsigned long)strlen(text));
}

/* Compares all of it, however early they differ. */
static int is_key(const char *given, const char *key) {
    size_t i;
    int differs = strlen(given) != strlen(key);
    for (i = 0; i < strlen(key); i++) {
        differs |= given[i % (strlen(given) + 1)] ^ key[i];
    }
    return !differs;
}

static void session(const char *key) {
    static const char opening[] = "pagelock-remote 1 ";
    const char *kernel = "own";
    static int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    char line[256];
    char facts[256];
    unsigned length = 0;
    unsigned i;
    int one = 1;
    struct utsname system;
    alarm(SECONDS_FOR_THE_KEY);
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, (char *)&one, sizeof one);
    setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, (char *)&one, sizeof one);
    do {
        if (length == sizeof line - 1 || !receive_all((unsigned char *)line + length, 1)) {
            say("no\tno line with a key came\n");
            return;
        }
    } while (line[length++] != '\n');
    line[length - 1] = 0;
    if (strncmp(line, opening, sizeof opening - 1) != 0) {
        say("no\tthis is a remote-agent of pagelock, version 1\n");
        return;
    }
    if (!is_key(line + sizeof opening - 1, key)) {
        say("no\twrong key\n");
        return;
    }
    alarm(0);
    for (i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        signal(signals[i], on_signal);
    }
    uname(&system);
#ifdef AGENT_STANDIN
    kernel = "stand-in";
    strcpy(system.sysname, AGENT_STANDIN);
    strcpy(system.release, AGENT_RELEASE);
    strcpy(system.machine, sizeof(void *) == 8 ? AGENT_MACHINE64 : AGENT_MACHINE32);
#endif
    sprintf(facts, "ok\t%.40s\t%.60s\t%.40s\t%d\t%s\t%lu\t%ld\t%ld\t%s\t", system.sysname, system.release, system.machine,
            (int)sizeof(void *) * 8, *(char *)&one == 1 ? "little" : "big", (unsigned long)page_bytes(), (long)getpid(),
            (long)geteuid(), kernel);
    say(facts);
    for (i = 0; i < (unsigned)FUNCTIONS; i++) {
        if (functions[i].name[0] != '!' || SERVERS > 1) {
            say(functions[i].name + (functions[i].name[0] == '!'));
            say(i + 1 < (unsigned)FUNCTIONS ? "," : "");
        }
    }
    say("\n");
    serve();
    /* Before the connection closes: the client's next session may count what the whole system has locked. */
    munlockall();
}

/* ---- the listener ---- */

static void fail_start(const char *what) {
    fprintf(stderr, "remote-agent: %s%s%s\n", what, errno == 0 ? "" : ": ", errno == 0 ? "" : strerror(errno));
    exit(2);
}

/* 128 random bits, or the first word of a file. */
static void read_key(const char *file, char *key, size_t size) {
    unsigned char random_bytes[16];
    unsigned i;
    FILE *in = fopen(file == NULL ? "/dev/urandom" : file, "rb");
    errno = in == NULL ? errno : 0;
    if (in == NULL && file == NULL) {
        fail_start("no /dev/urandom to make a key from; write one into a file and give it with -k");
    }
    if (in == NULL || (file != NULL && (fgets(key, (int)size, in) == NULL || strcspn(key, " \t\r\n") < 8))) {
        fail_start("the key file cannot be read, or its key has less than 8 characters");
    }
    if (file != NULL) {
        key[strcspn(key, " \t\r\n")] = 0;
    } else {
        if (fread(random_bytes, 1, sizeof random_bytes, in) != sizeof random_bytes) {
            fail_start("/dev/urandom gives nothing");
        }
        for (i = 0; i < sizeof random_bytes; i++) {
            sprintf(key + 2 * i, "%02x", (unsigned)random_bytes[i]);
        }
    }
    fclose(in);
}

int main(int argc, char **argv) {
    const char *address = "127.0.0.1";
    const char *key_file = NULL;
    char key[128];
    struct sockaddr_in at;
    agent_length size = sizeof at;
    long port = 0;
    int sessions = 0;
    int one = 1;
    int listener;
    int i;
    for (i = 1; i < argc; i += 2) {
        if (i + 1 == argc || argv[i][0] != '-' || strchr("apk", argv[i][1]) == NULL || argv[i][1] == 0) {
            errno = 0;
            fail_start("usage: remote-agent [-a ADDRESS] [-p PORT] [-k KEYFILE]");
        }
        if (argv[i][1] == 'a') {
            address = argv[i + 1];
        } else if (argv[i][1] == 'p') {
            port = atol(argv[i + 1]);
        } else {
            key_file = argv[i + 1];
        }
    }
    read_key(key_file, key, sizeof key);
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_port = htons((unsigned short)port);
    at.sin_addr.s_addr = inet_addr(address);
    errno = 0;
    if (at.sin_addr.s_addr == INADDR_NONE || port < 0 || port > 65535) {
        fail_start("-a takes an address like 192.0.2.1, -p a port");
    }
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, (char *)&one, sizeof one);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, SESSIONS) != 0
        || getsockname(listener, (struct sockaddr *)&at, &size) != 0) {
        fail_start("cannot listen");
    }
    signal(SIGPIPE, SIG_IGN);
    printf("listening on %s:%u key %s\n", address, (unsigned)ntohs(at.sin_port), key);
    printf("This hands out the process of user %ld. Stop it when the tests are over.\n", (long)geteuid());
    fflush(stdout);
    for (;;) {
        pid_t child;
        connection = accept(listener, NULL, NULL);
        while (sessions > 0 && waitpid(-1, NULL, WNOHANG) > 0) {
            sessions--;
        }
        if (connection < 0) {
            sleep(1);
            continue;
        }
        if (sessions == SESSIONS) {
            say("no\ttoo many sessions\n");
        } else if ((child = fork()) == 0) {
            close(listener);
            session(key);
            _exit(0);
        } else if (child > 0) {
            sessions++;
        } else {
            say("no\tcannot start a session\n");
        }
        close(connection);
    }
}
