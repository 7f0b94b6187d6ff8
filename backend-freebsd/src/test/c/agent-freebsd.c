/* SPDX-License-Identifier: Apache-2.0 */
/* A remote-agent whose kernel is the stand-in: the numbers that the agent takes from FreeBSD's headers are those of freebsd.h. */
#include "standin.c"

#define AGENT_STANDIN "FreeBSD"
#define AGENT_RELEASE "15.1-RELEASE-p1"
#define AGENT_MACHINE64 "amd64"
#define AGENT_MACHINE32 "i386"
#define AGENT_STANDIN_FILES
#define AGENT_BSD
#define AGENT_FREEBSD

/* Those of the Linux underneath, if they came along. */
#undef PROT_NONE
#undef PROT_READ
#undef PROT_WRITE
#undef MAP_SHARED
#undef MAP_PRIVATE
#undef MAP_FIXED
#undef MAP_ANON
#undef MCL_CURRENT
#undef MCL_FUTURE
#undef MS_SYNC
#undef MS_INVALIDATE
#define PROT_NONE FB_PROT_NONE
#define PROT_READ FB_PROT_READ
#define PROT_WRITE FB_PROT_WRITE
#define MAP_SHARED FB_MAP_SHARED
#define MAP_PRIVATE FB_MAP_PRIVATE
#define MAP_FIXED FB_MAP_FIXED
#define MAP_ANON FB_MAP_ANON
#define MCL_CURRENT FB_MCL_CURRENT
#define MCL_FUTURE FB_MCL_FUTURE
#define MS_SYNC FB_MS_SYNC
#define MS_INVALIDATE FB_MS_INVALIDATE
#define RLIMIT_MEMLOCK FB_RLIMIT_MEMLOCK
#define RLIM_INFINITY FB_RLIM_INFINITY
#define rlimit fb_rlimit
#define rlim_t int64_t
#undef EAGAIN
#define EAGAIN FB_EAGAIN
#undef EDEADLK
#define EDEADLK 11
#undef ENOSYS
#define ENOSYS FB_ENOSYS

int munmap(void *addr, size_t len) {
    return (int) syscall(SYS_munmap, addr, len);
}

int setrlimit(int resource, const struct fb_rlimit *rlp) {
    if (resource != FB_RLIMIT_MEMLOCK) {
        return fail(FB_EINVAL);
    }
    standin_set("limit_cur", rlp->rlim_cur == FB_RLIM_INFINITY ? -1 : (long) rlp->rlim_cur);
    standin_set("limit_max", rlp->rlim_max == FB_RLIM_INFINITY ? -1 : (long) rlp->rlim_max);
    return 0;
}

int seteuid(unsigned int uid) {
    standin_set("euid", (long) uid);
    return 0;
}

int setuid(unsigned int uid) {
    return seteuid(uid);
}

int setgid(unsigned int gid) {
    (void) gid;
    return 0;
}

#include "remote-agent.c"
