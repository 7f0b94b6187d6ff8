/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for libSystem of macOS. Behaviour from Apple's xnu: bsd/kern/kern_mman.c, and of osfmk/vm/vm_map.c add_wire_counts,
 * vm_map_wire_nested and vm_map_unwire_nested. The kernel works on entries of its map; here an entry is a run of mapped pages that
 * are wired equally often. It counts wirings, charges an entry as a whole when it is first wired, does not look for a hole after an
 * entry that is wired already, and leaves an entry before a hole wired when it unwires.
 */
#include "standin.h"

enum { M_ENOENT = 2, M_ENOMEM = 12, M_EINVAL = 22, M_EAGAIN = 35, M_ENOSYS = 78 };
enum { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 16 };
enum { M_RLIMIT_MEMLOCK = 6, BASIC_INFO_64 = 9, PORT = 0x203 };
enum { SUCCESS = 0, INVALID_ADDRESS = 1, INVALID_ARGUMENT = 4, INVALID_TASK = 16 };
enum { MINCORE_INCORE = 1, MINCORE_ANONYMOUS = 0x80 };

static struct knob knobs[] = {
    {"memlock", -1, -1},          /* RLIMIT_MEMLOCK, soft, in bytes */
    {"user_wire_limit", -1, -1},  /* sysctls; -1 is the largest */
    {"global_wire_limit", -1, -1},
    {"wired_elsewhere", 0, 0},    /* by the kernel and other processes */
    {"no_regions", 0, 0},         /* mach_vm_region fails */
    {"no_sysctl", 0, 0},          /* a sandbox forbids them */
    {"nothing", 0, 0},            /* for what macOS lacks */
    {NULL, 0, 0},
};

/* mach_task_self() is a macro for it. */
unsigned mach_task_self_ = PORT;

void *dlsym(void *handle, const char *symbol) {
    return handle == (void *)-2 && strcmp(symbol, "mach_task_self_") == 0 ? &mach_task_self_ : NULL;
}

/* ---- wirings: the Linux underneath knows which pages are locked, here is how often more ---- */

enum { NESTED = 1 << 16 };
static struct {
    char *page;
    int more;
} nested[NESTED];
static int nested_count;
static pthread_mutex_t nested_lock = PTHREAD_MUTEX_INITIALIZER;

static void standin_reset_system(void) {
    nested_count = 0;
}

/* Under the lock. */
static int *more_of(char *page, int add) {
    int i;
    for (i = 0; i < nested_count && nested[i].page != page; i++) {
    }
    if (i == nested_count) {
        if (!add) {
            return NULL;
        }
        if (i == NESTED) {
            abort();
        }
        nested[nested_count].page = page;
        nested[nested_count++].more = 0;
    }
    return &nested[i].more;
}

/* Returns the wirings of a page; -1 if it is not mapped. */
static int wirings(char *page) {
    int now = state(page);
    int *more;
    int count;
    if (now != LOCKED) {
        return now == UNMAPPED ? -1 : 0;
    }
    pthread_mutex_lock(&nested_lock);
    more = more_of(page, 0);
    count = 1 + (more == NULL ? 0 : *more);
    pthread_mutex_unlock(&nested_lock);
    return count;
}

static void set_more(char *page, int more) {
    int *at;
    pthread_mutex_lock(&nested_lock);
    at = more_of(page, more != 0);
    if (at != NULL) {
        *at = more;
    }
    pthread_mutex_unlock(&nested_lock);
}

/* Where the entry of a page ends, at most the end given. */
static char *entry_end(char *start, char *end) {
    int count = wirings(start);
    char *at = start + page_size();
    while (at < end && wirings(at) == count) {
        at += page_size();
    }
    return at;
}

static int precedes_hole(char *entry_end, char *end) {
    return entry_end < end && wirings(entry_end) < 0;
}

static char *next_mapped(char *at, char *end) {
    while (at < end && wirings(at) < 0) {
        at += page_size();
    }
    return at;
}

static void unwire(char *start, char *end) {
    char *at;
    for (at = start; at < end; at += page_size()) {
        int count = wirings(at);
        if (count > 1) {
            set_more(at, count - 2);
        } else if (count == 1) {
            raw_munlock(at, page_size());
        }
    }
}

static int unwire_range(char *start, char *end) {
    char *at = start;
    if (start < end && wirings(start) < 0) {
        return M_ENOMEM;
    }
    while (at < end) {
        char *next = entry_end(at, end);
        if (wirings(at) > 0 && !precedes_hole(next, end)) {
            unwire(at, next);
        }
        at = next_mapped(next, end);
    }
    return 0;
}

/* Underneath, a lock of a page with no access, or past the end of its file, sets the flag and fails. */
static int wire_page(char *at) {
    if (past_end(at)) {
        return M_ENOMEM;
    }
    if (raw_mlock(at, page_size()) != 0 && state(at) != LOCKED) {
        return M_EAGAIN;
    }
    set_more(at, 0);
    return 0;
}

static int is_over(long bytes, const char *limit) {
    return *knob(limit) >= 0 && bytes > *knob(limit);
}

static int wire_entry(char *start, char *end) {
    long wired = standin_locked_bytes();
    long size = end - start;
    char *at;
    int error = 0;
    if (is_over(size + wired, "memlock") || is_over(size + wired, "user_wire_limit")
        || is_over(size + wired + *knob("wired_elsewhere"), "global_wire_limit")) {
        return M_EAGAIN;
    }
    for (at = start; at < end && error == 0; at += page_size()) {
        error = wire_page(at);
    }
    if (error != 0) {
        unwire(start, at - page_size());
    }
    return error;
}

static int wire_range(char *start, char *end) {
    char *at = start;
    int error = start < end && wirings(start) < 0 ? M_ENOMEM : 0;
    while (at < end && error == 0) {
        char *next = entry_end(at, end);
        int count = wirings(at);
        if (count > 0) {
            for (; at < next; at += page_size()) {
                set_more(at, count);
            }
        } else {
            error = precedes_hole(next, end) ? M_ENOMEM : wire_entry(at, next);
        }
        at = error != 0 ? at : next_mapped(next, end);
    }
    if (error != 0) {
        unwire_range(start, at);
    }
    return error;
}

/* ---- the calls ---- */

static char *page_of(const void *addr, size_t offset) {
    return (char *)(((uintptr_t)addr + offset) & ~(uintptr_t)(page_size() - 1));
}

static int overflows(const void *addr, size_t len) {
    return wraps(addr, len) || wraps(addr, len + page_size() - 1);
}

int getpagesize(void) {
    return (int)page_size();
}

int mlock(const void *addr, size_t len) {
    int error = enter("mlock");
    if (error == 0 && overflows(addr, len)) {
        error = M_EINVAL;
    }
    if (error == 0 && len != 0) {
        error = wire_range(page_of(addr, 0), page_of(addr, len + page_size() - 1));
    }
    return error == 0 ? 0 : refuse(error);
}

int munlock(const void *addr, size_t len) {
    int error = enter("munlock");
    if (error == 0 && overflows(addr, len)) {
        error = M_EINVAL;
    }
    if (error == 0) {
        error = unwire_range(page_of(addr, 0), page_of(addr, len + page_size() - 1));
    }
    return error == 0 ? 0 : refuse(error);
}

int mlockall(int flags) {
    (void)flags;
    enter("mlockall");
    return refuse(M_ENOSYS);
}

int munlockall(void) {
    enter("munlockall");
    return refuse(M_ENOSYS);
}

int msync(void *addr, size_t len, int flags) {
    int error = enter("msync");
    synced(flags & MS_ASYNC, flags & MS_INVALIDATE);
    if (error == 0
        && (wraps(addr, len) || addr != page_of(addr, 0) || len == 0
            || (flags & (MS_SYNC | MS_ASYNC)) == (MS_SYNC | MS_ASYNC))) {
        error = M_EINVAL;
    }
    if (error == 0 && any_hole(addr, len)) {
        error = M_ENOMEM;
    }
    if (error == 0 && syscall(SYS_msync, addr, len, (flags & MS_ASYNC) ? LINUX_MS_ASYNC : LINUX_MS_SYNC) != 0) {
        error = M_EINVAL;
    }
    return error == 0 ? 0 : refuse(error);
}

/* A hole is no error, and looks like a page of no file that is not in memory. */
int mincore(void *addr, size_t len, unsigned char *vec) {
    char *at = page_of(addr, 0);
    char *end = page_of(addr, len + page_size() - 1);
    int error = enter("mincore");
    for (; error == 0 && at < end; at += page_size()) {
        *vec++ = resident(at) ? MINCORE_INCORE : MINCORE_ANONYMOUS;
    }
    return error == 0 ? 0 : refuse(error);
}

int getrlimit(int resource, int64_t *limits) {
    int error = enter("getrlimit");
    if (error == 0 && resource != M_RLIMIT_MEMLOCK) {
        error = M_EINVAL;
    }
    if (error == 0) {
        limits[0] = *knob("memlock") < 0 ? INT64_MAX : *knob("memlock");
        limits[1] = INT64_MAX;
    }
    return error == 0 ? 0 : refuse(error);
}

static int put(void *oldp, size_t *length, int64_t value, size_t width) {
    if (*length < width) {
        return M_ENOMEM;
    }
    memcpy(oldp, &value, width);
    *length = width;
    return 0;
}

static int64_t unless_unlimited(const char *name) {
    return *knob(name) < 0 ? (int64_t)1 << 46 : *knob(name);
}

int sysctlbyname(const char *name, void *oldp, size_t *oldlenp, const void *newp, size_t newlen) {
    int error = enter("sysctlbyname");
    (void)newp;
    (void)newlen;
    if (error != 0) {
        return refuse(error);
    }
    if (*knob("no_sysctl")) {
        return refuse(1);
    }
    error = strcmp(name, "vm.user_wire_limit") == 0 ? put(oldp, oldlenp, unless_unlimited("user_wire_limit"), 8)
        : strcmp(name, "vm.global_user_wire_limit") == 0 ? put(oldp, oldlenp, unless_unlimited("global_wire_limit"), 8)
        : strcmp(name, "vm.global_no_user_wire_amount") == 0
            ? put(oldp, oldlenp, ((int64_t)1 << 47) - unless_unlimited("global_wire_limit"), 8)
        : strcmp(name, "hw.memsize") == 0 ? put(oldp, oldlenp, (int64_t)1 << 47, 8)
        : strcmp(name, "vm.page_wire_count") == 0
            ? put(oldp, oldlenp, (standin_locked_bytes() + *knob("wired_elsewhere")) / (long)page_size(), 4)
        : strcmp(name, "vm.lopage_free_count") == 0 ? put(oldp, oldlenp, 0, 4)
        : strcmp(name, "vm.pagesize") == 0          ? put(oldp, oldlenp, (int64_t)page_size(), 4)
                                                    : M_ENOENT;
    return error == 0 ? 0 : refuse(error);
}

/* ---- mach_vm_region ---- */

struct area {
    uint64_t start;
    uint64_t end;
    int locked; /* -1: the first page says so */
};

static struct area *areas;
static int area_count;
static pthread_mutex_t areas_lock = PTHREAD_MUTEX_INITIALIZER;

/* A walk through all mappings, from address 0 on: its thread, and how far it has come. */
static pthread_t walker;
static uint64_t walked_to;

/* Under the lock. With smaps, where a mapping ends and whether it is locked is of one moment. */
static void read_areas(const char *name) {
    char line[512];
    static int room;
    FILE *file = fopen(name, "re");
    area_count = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        unsigned long long start;
        unsigned long long end;
        if (sscanf(line, "%llx-%llx ", &start, &end) == 2) {
            if (area_count == room) {
                room = room * 2 + 1024;
                areas = realloc(areas, (size_t)room * sizeof *areas);
            }
            areas[area_count].start = start;
            areas[area_count].end = end;
            areas[area_count++].locked = -1;
        } else if (area_count > 0 && strncmp(line, "VmFlags:", 8) == 0) {
            areas[area_count - 1].locked = strstr(line, " lo") != NULL;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static struct area area_at(uint64_t address) {
    struct area none = {0, 0, 0};
    struct area found;
    int i;
    pthread_mutex_lock(&areas_lock);
    if (address == 0) {
        read_areas("/proc/self/smaps");
        walker = pthread_self();
    } else if (address != walked_to || !pthread_equal(walker, pthread_self())) {
        read_areas("/proc/self/maps");
        walked_to = 0;
    }
    for (i = 0; i < area_count && areas[i].end <= address; i++) {
    }
    found = i < area_count ? areas[i] : none;
    if (address == 0 || walked_to == address) {
        walked_to = found.end;
    }
    pthread_mutex_unlock(&areas_lock);
    return found;
}

struct basic_info_64 {
    int32_t protection, max_protection, inheritance, shared, reserved;
    int32_t offset[2];
    int32_t behavior;
    uint16_t user_wired_count;
    uint16_t pad;
};

/* All pages of a mapping of Linux are locked or none is, so only their counts may differ, and few are wired twice. */
static void describe(struct area *found, uint64_t at, int *count) {
    char *first = (char *)(uintptr_t)(at > found->start ? at - at % page_size() : found->start);
    int i;
    int wired = found->locked == 0 ? 0 : wirings(first);
    *count = wired > 0 ? wired : found->locked > 0;
    if (*count > 0) {
        pthread_mutex_lock(&nested_lock);
        for (i = 0; i < nested_count; i++) {
            uint64_t page = (uint64_t)(uintptr_t)nested[i].page;
            if (page > (uint64_t)(uintptr_t)first && page < found->end && nested[i].more != *count - 1) {
                found->end = page;
            }
        }
        pthread_mutex_unlock(&nested_lock);
        if (*count > 1) {
            found->end = (uint64_t)(uintptr_t)entry_end(first, (char *)(uintptr_t)found->end);
        }
    }
    found->start = (uint64_t)(uintptr_t)first;
}

int mach_vm_region(
    unsigned task, uint64_t *address, uint64_t *size, int flavor, struct basic_info_64 *info, unsigned *count, unsigned *name) {
    struct area found;
    int wired;
    if (enter("mach_vm_region") != 0 || *knob("no_regions")) {
        return INVALID_ARGUMENT;
    }
    if (task != PORT) {
        return INVALID_TASK;
    }
    if (flavor != BASIC_INFO_64 || *count < sizeof *info / 4) {
        return INVALID_ARGUMENT;
    }
    found = area_at(*address);
    if (found.end == 0) {
        return INVALID_ADDRESS;
    }
    describe(&found, *address, &wired);
    memset(info, 0, sizeof *info);
    info->user_wired_count = (uint16_t)wired;
    *count = sizeof *info / 4;
    *name = 0;
    *address = found.start;
    *size = found.end - found.start;
    return SUCCESS;
}
