/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for libc and libucb of Solaris and illumos: memcntl(2), mincore(2), priv_ineffect(3C), getrctl(2), the files map
 * and xmap of proc(4), and mctl of libucb. Behaviour from the source of illumos-gate as of 2019 and the manual pages.
 */
#include "standin.h"

enum { S_EPERM = 1, S_ENOENT = 2, S_EIO = 5, S_EAGAIN = 11, S_ENOMEM = 12, S_EFAULT = 14, S_EBUSY = 16, S_EINVAL = 22 };
enum { MC_SYNC = 1, MC_LOCK, MC_UNLOCK, MC_ADVISE, MC_LOCKAS, MC_UNLOCKAS, MC_HAT_ADVISE };
enum { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 };
enum { MCL_CURRENT = 1, MCL_FUTURE = 2 };
enum { ATTR_SHARED = 0x10, ATTR_PRIVATE = 0x20, ATTR_VALID = 0x37 };
enum { SEG_PAGE_INCORE = 1, SEG_PAGE_LOCKED = 2, SEG_PAGE_ANON = 0x20 };
enum { RCTL_FIRST, RCTL_NEXT, RCTL_USAGE };
#define RCPRIV_PRIVILEGED 0x04000000
#define RCPRIV_SYSTEM 0x07000000
#define RCTL_LOCAL_DENY 2u
#define RCTL_LOCAL_MAXIMAL 0x80000000u

static struct knob knobs[] = {
    {"privileged", 1, 1},       /* proc_lock_memory is in effect */
    {"project", -1, -1},        /* project.max-locked-memory, the privileged value */
    {"zone", -1, -1},           /* zone.max-locked-memory */
    {"system_limit", -1, -1},   /* pages that page_pp_lock gives away */
    {"mincore_locked", 1, 1},   /* whether mincore says which pages are locked */
    {NULL, 0, 0},
};

static int future;

static void standin_reset_system(void) {
    future = 0;
}

int getpagesize(void) {
    return (int)page_size();
}

static struct rules rules(void) {
    struct rules rules = {-1, -1, S_EAGAIN, S_EAGAIN, S_ENOMEM, 0, 0, 1, 0};
    long project = *knob("project");
    long zone = *knob("zone");
    rules.limit = project < 0 || (zone >= 0 && zone < project) ? zone : project;
    rules.system_limit = *knob("system_limit");
    return rules;
}

static int lock_all(int flags) {
    struct rules now = rules();
    int result = 0;
    /* The flag is set first and stays if the rest fails. */
    if (flags & MCL_FUTURE) {
        future = 1;
    }
    if (flags & MCL_CURRENT) {
        long size = status_bytes("VmSize:");
        long limit = now.limit < 0 || (now.system_limit >= 0 && now.system_limit < now.limit) ? now.system_limit : now.limit;
        if (limit >= 0 && size > limit) {
            result = S_EAGAIN;
        }
    }
    if (result == 0 && raw_mlockall((flags & MCL_CURRENT) != 0, future) != 0) {
        result = S_EAGAIN;
    } else if (result != 0 && future) {
        raw_mlockall(0, 1);
    }
    return result;
}

static int control(char *addr, size_t len, int cmd, uintptr_t arg, int attr, int mask) {
    static const char *names[] = {"", "MC_SYNC", "MC_LOCK", "MC_UNLOCK", "MC_ADVISE", "MC_LOCKAS", "MC_UNLOCKAS"};
    struct rules now = rules();
    size_t page = page_size();
    size_t rounded = (len + page - 1) & -page;
    int error;
    if (mask != 0) {
        return S_EINVAL;
    }
    if (cmd == MC_LOCKAS || cmd == MC_UNLOCKAS) {
        if (addr != NULL || len != 0) {
            return S_EINVAL;
        }
    } else if (((uintptr_t)addr & (page - 1)) != 0 || len == 0) {
        return S_EINVAL;
    } else if (wraps(addr, len) || wraps(addr, rounded)) {
        return S_ENOMEM;
    }
    if ((attr & ~ATTR_VALID) != 0 || ((attr & ATTR_SHARED) && (attr & ATTR_PRIVATE))) {
        return S_EINVAL;
    }
    if (cmd >= MC_SYNC && cmd <= MC_UNLOCKAS && (error = enter(names[cmd])) != 0) {
        return error;
    }
    if ((cmd == MC_LOCK || cmd == MC_UNLOCK || cmd == MC_LOCKAS || cmd == MC_UNLOCKAS) && !*knob("privileged")) {
        return S_EPERM;
    }
    switch (cmd) {
        case MC_LOCK:
            return attr != 0 && !(attr & ATTR_PRIVATE) ? 0 : lock_pages(addr, rounded, &now);
        case MC_UNLOCK:
            return unlock_pages(addr, rounded, S_ENOMEM, 0);
        case MC_LOCKAS:
            return (arg & ~(uintptr_t)(MCL_CURRENT | MCL_FUTURE)) != 0 || arg == 0 ? S_EINVAL : lock_all((int)arg);
        case MC_UNLOCKAS:
            future = 0;
            raw_munlockall();
            return 0;
        case MC_SYNC:
            if ((arg & ~(uintptr_t)(MS_SYNC | MS_ASYNC | MS_INVALIDATE)) != 0
                || (arg & (MS_SYNC | MS_ASYNC)) == (MS_SYNC | MS_ASYNC)) {
                return S_EINVAL;
            }
            synced((arg & MS_ASYNC) != 0, (arg & MS_INVALIDATE) != 0);
            if (any_hole(addr, rounded)) {
                return S_ENOMEM;
            }
            if ((arg & MS_INVALIDATE) && any_locked(addr, rounded)) {
                return S_EBUSY;
            }
            return syscall(SYS_msync, addr, rounded, (arg & MS_ASYNC) ? LINUX_MS_ASYNC : LINUX_MS_SYNC) == 0 ? 0 : S_EIO;
        default:
            return S_EINVAL;
    }
}

int memcntl(char *addr, size_t len, int cmd, char *arg, int attr, int mask) {
    int error = enter("memcntl");
    if (error == 0) {
        error = control(addr, len, cmd, (uintptr_t)arg, attr, mask);
    }
    return error == 0 ? 0 : refuse(error);
}

/* libucb: the last parameter is an int, unlike the page of SVR4 says. */
int mctl(char *addr, size_t len, int function, int arg) {
    int error = enter("mctl");
    if (error == 0 && (long)len < 0) {
        error = S_EINVAL;
    }
    if (error == 0) {
        error = control(addr, len, function, (uintptr_t)(intptr_t)arg, 0, 0);
    }
    return error == 0 ? 0 : refuse(error);
}

int mincore(void *start, size_t len, unsigned char *vec) {
    char *addr = start;
    size_t page = page_size();
    size_t i;
    int error = enter("mincore");
    if (error != 0) {
        return refuse(error);
    }
    if (((uintptr_t)addr & (page - 1)) != 0 || len == 0) {
        return refuse(S_EINVAL);
    }
    for (i = 0; i * page < len; i++) {
        char *at = addr + i * page;
        int now = state(at);
        if (now == UNMAPPED) {
            return refuse(S_ENOMEM);
        }
        vec[i] = !resident(at) || past_end(at) ? 0
            : now == LOCKED && *knob("mincore_locked") ? SEG_PAGE_INCORE | SEG_PAGE_LOCKED | SEG_PAGE_ANON
                                                      : SEG_PAGE_INCORE | SEG_PAGE_ANON;
    }
    return 0;
}

int priv_ineffect(const char *name) {
    return strcmp(name, "proc_lock_memory") == 0 && *knob("privileged");
}

/* ---- resource controls; the block is opaque to callers ---- */

struct rctlblk {
    char padding[16];
    uint64_t value;
    int privilege;
    unsigned action;
    int index;
};

size_t rctlblk_size(void) {
    return sizeof(struct rctlblk);
}

uint64_t rctlblk_get_value(struct rctlblk *block) {
    return block->value;
}

int rctlblk_get_privilege(struct rctlblk *block) {
    return block->privilege;
}

unsigned rctlblk_get_local_action(struct rctlblk *block, int *signal) {
    (void)signal;
    return block->action;
}

int getrctl(const char *name, struct rctlblk *old, struct rctlblk *block, unsigned flags) {
    int zone = strcmp(name, "zone.max-locked-memory") == 0;
    long value = *knob(zone ? "zone" : "project");
    int error = enter("getrctl");
    int index;
    if (error != 0) {
        return refuse(error);
    }
    if (!zone && strcmp(name, "project.max-locked-memory") != 0) {
        return refuse(S_EINVAL);
    }
    if (flags == RCTL_USAGE) {
        block->value = (uint64_t)standin_locked_bytes();
        return 0;
    }
    /* In order of size: the value that an administrator set, if any, then the system's own. */
    index = flags == RCTL_NEXT ? old->index + 1 : 0;
    if (value < 0) {
        index++;
    }
    if (index > 1) {
        return refuse(S_ENOENT);
    }
    block->value = index == 0 ? (uint64_t)value : UINT64_MAX;
    block->privilege = index == 0 ? RCPRIV_PRIVILEGED : RCPRIV_SYSTEM;
    block->action = index == 0 ? RCTL_LOCAL_DENY : RCTL_LOCAL_DENY | RCTL_LOCAL_MAXIMAL;
    block->index = value < 0 ? index - 1 : index;
    return 0;
}

/* ---- /proc/self/map and xmap ---- */

struct prmap {
    uintptr_t pr_vaddr;
    size_t pr_size;
    char pr_mapname[64];
    int64_t pr_offset;
    int pr_mflags;
    int pr_pagesize;
    int pr_shmid;
    int pr_filler[1];
};

struct prxmap {
    uintptr_t pr_vaddr;
    size_t pr_size;
    char pr_mapname[64];
    int64_t pr_offset;
    int pr_mflags;
    int pr_pagesize;
    int pr_shmid;
    unsigned long pr_dev;
    uint64_t pr_ino;
    size_t pr_rss;
    size_t pr_anon;
    size_t pr_locked;
    size_t pr_pad;
    uint64_t pr_hatpagesize;
    unsigned long pr_filler[sizeof(void *) == 4 ? 6 : 7];
};

enum { MA_EXEC = 1, MA_WRITE = 2, MA_READ = 4, MA_SHARED = 8, MA_ANON = 0x40, MA_NORESERVE = 0x100 };

/* Both records begin alike. Returns the bytes needed, and fills in what fits. */
long standin_proc(int extended, char *buffer, long size) {
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[4096];
    long record = extended ? (long)sizeof(struct prxmap) : (long)sizeof(struct prmap);
    long at = -record;
    unsigned long listed = 0;
    struct prxmap *now = NULL;
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long start;
        unsigned long end;
        unsigned long offset;
        unsigned long inode;
        char protection[8];
        if (sscanf(line, "%lx-%lx %7s %lx %*s %lu", &start, &end, protection, &offset, &inode) == 5) {
            struct mapping *own;
            /* Linux lists a mapping that grew or was merged since the last line from its old start; Solaris has none twice. */
            if (start < listed) {
                offset += listed - start;
                start = listed;
            }
            listed = end;
            own = mapping_at((char *)start);
            at += record;
            now = NULL;
            if (at + record > size || strstr(line, "[vsyscall]") != NULL) {
                if (strstr(line, "[vsyscall]") != NULL) {
                    at -= record;
                }
                continue;
            }
            memset(buffer + at, 0, (size_t)record);
            now = (struct prxmap *)(buffer + at);
            now->pr_vaddr = start;
            now->pr_size = end - start;
            now->pr_offset = (int64_t)offset;
            now->pr_pagesize = (int)page_size();
            now->pr_shmid = -1;
            now->pr_mflags = (protection[0] == 'r' ? MA_READ : 0) | (protection[1] == 'w' ? MA_WRITE : 0)
                | (protection[2] == 'x' ? MA_EXEC : 0) | (protection[3] == 's' ? MA_SHARED : 0) | (inode == 0 ? MA_ANON : 0)
                | (own != NULL && own->kind == NORESERVE ? MA_NORESERVE : 0);
            if (inode != 0) {
                snprintf(now->pr_mapname, sizeof now->pr_mapname, "standin.%lu", inode);
            }
            if (extended) {
                now->pr_dev = 1;
                now->pr_ino = inode;
            }
        } else if (now != NULL && extended && strncmp(line, "Rss:", 4) == 0) {
            now->pr_rss = (size_t)atol(line + 4) * 1024 / page_size();
        } else if (now != NULL && extended && strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " lo") != NULL) {
            now->pr_locked = now->pr_rss;
        }
    }
    fclose(file);
    return at + record;
}

/* What fstat of /proc/self/object/NAME would say: the size of a regular file, or -1. */
long standin_object_size(const char *name) {
    int i;
    for (i = 0; i < mapping_count; i++) {
        struct stat status;
        char known[64];
        if (mappings[i].fd >= 0 && fstat(mappings[i].fd, &status) == 0) {
            snprintf(known, sizeof known, "standin.%lu", (unsigned long)status.st_ino);
            if (strcmp(known, name) == 0) {
                return (long)status.st_size;
            }
        }
    }
    return -1;
}

/* For the table test: the layout as this compiler lays it out. */
long standin_layout(const char *what) {
    return strcmp(what, "prmap") == 0        ? (long)sizeof(struct prmap)
        : strcmp(what, "prxmap") == 0        ? (long)sizeof(struct prxmap)
        : strcmp(what, "pr_vaddr") == 0      ? (long)offsetof(struct prxmap, pr_vaddr)
        : strcmp(what, "pr_size") == 0       ? (long)offsetof(struct prxmap, pr_size)
        : strcmp(what, "pr_mapname") == 0    ? (long)offsetof(struct prxmap, pr_mapname)
        : strcmp(what, "pr_offset") == 0     ? (long)offsetof(struct prxmap, pr_offset)
        : strcmp(what, "pr_mflags") == 0     ? (long)offsetof(struct prxmap, pr_mflags)
        : strcmp(what, "pr_rss") == 0        ? (long)offsetof(struct prxmap, pr_rss)
        : strcmp(what, "pr_locked") == 0     ? (long)offsetof(struct prxmap, pr_locked)
                                             : -1;
}
