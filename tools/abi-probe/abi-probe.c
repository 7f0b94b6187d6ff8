/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the numbers that pagelock's tables hold, as this system's headers give them, one line each:
 *     os,arch_or_abi,kind,name,value,source,confidence
 * Portable C89. What a system does not define is left out. See README.md.
 *
 * PROBE_OS, PROBE_ARCH and PROBE_SOURCE replace the first, second and sixth column. With PROBE_HEADERS_ONLY only the kernel's
 * asm headers are read, so that those of another processor can be asked on this one.
 */
#ifdef PROBE_HEADERS_ONLY
#include <stdio.h>
#include <string.h>
#include <asm/errno.h>
#include <asm/mman.h>
#include <asm/resource.h>
#else
#include <sys/types.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__hpux)
#include <sys/privgrp.h>
#endif
#if defined(__FreeBSD__) || defined(__DragonFly__)
#include <signal.h>
#include <aio.h>
#endif
#if defined(__sun)
#include <procfs.h>
#include <rctl.h>
#endif
#endif

static const char *os;
static const char *arch;
static const char *source = "abi-probe";

static void text(const char *kind, const char *name, const char *value) {
    printf("%s,%s,%s,%s,%s,%s,verified\n", os, arch, kind, name, value, source);
}

/* Constants in hexadecimal, unless they are negative; so they are the same in both data models. */
static void hex(const char *kind, const char *name, long value) {
    char buffer[64];
    if (value < 0) {
        sprintf(buffer, "%ld", value);
    } else {
        sprintf(buffer, "0x%lx", (unsigned long)value);
    }
    text(kind, name, buffer);
}

#ifdef RLIM_INFINITY
#ifdef PROBE_HEADERS_ONLY
typedef unsigned long rlim_t;
#endif
/* All bits of an rlim_t, which may be wider than a long: in halves, since C89 has no wider type. */
static void limit(const char *name, rlim_t value) {
    char buffer[64];
    unsigned long high = sizeof value > 4 ? (unsigned long)(value >> 16 >> 16) & 0xffffffffUL : 0;
    unsigned long low = (unsigned long)value & 0xffffffffUL;
    if (high != 0) {
        sprintf(buffer, "0x%lx%08lx", high, low);
    } else {
        sprintf(buffer, "0x%lx", low);
    }
    text("rlimit", name, buffer);
}
#endif

static void number(const char *kind, const char *name, long value) {
    char buffer[64];
    sprintf(buffer, "%ld", value);
    text(kind, name, buffer);
}

#ifndef PROBE_HEADERS_ONLY
/* offsetof without its header's name for members of members. */
#define OFFSET(type, member) ((long)((char *)&((type *)&zero)->member - (char *)&zero))
#define SIZE(type) number("struct_size", #type, (long)sizeof(type))

static void structures(void) {
    static double zero[512];
    SIZE(struct rlimit);
    number("struct_offset", "rlimit.rlim_cur", OFFSET(struct rlimit, rlim_cur));
    number("struct_offset", "rlimit.rlim_max", OFFSET(struct rlimit, rlim_max));
#if defined(__hpux)
    SIZE(struct privgrp_map);
    number("struct_offset", "privgrp_map.priv_groupno", OFFSET(struct privgrp_map, priv_groupno));
    number("struct_offset", "privgrp_map.priv_mask", OFFSET(struct privgrp_map, priv_mask[0]));
#endif
#if defined(__sun)
    SIZE(prmap_t);
    SIZE(prxmap_t);
    number("struct_offset", "prxmap.pr_size", OFFSET(prxmap_t, pr_size));
    number("struct_offset", "prxmap.pr_mapname", OFFSET(prxmap_t, pr_mapname[0]));
    number("struct_offset", "prxmap.pr_offset", OFFSET(prxmap_t, pr_offset));
    number("struct_offset", "prxmap.pr_mflags", OFFSET(prxmap_t, pr_mflags));
    number("struct_offset", "prxmap.pr_rss", OFFSET(prxmap_t, pr_rss));
    number("struct_offset", "prxmap.pr_locked", OFFSET(prxmap_t, pr_locked));
#endif
#if defined(__FreeBSD__) || defined(__DragonFly__)
    SIZE(struct aiocb);
    number("struct_offset", "aiocb.aio_fildes", OFFSET(struct aiocb, aio_fildes));
    number("struct_offset", "aiocb.aio_offset", OFFSET(struct aiocb, aio_offset));
    number("struct_offset", "aiocb.aio_buf", OFFSET(struct aiocb, aio_buf));
    number("struct_offset", "aiocb.aio_nbytes", OFFSET(struct aiocb, aio_nbytes));
    number("struct_offset", "aiocb.aio_sigevent", OFFSET(struct aiocb, aio_sigevent));
#endif
    number("type_size", "size_t", (long)sizeof(size_t));
    number("type_size", "void *", (long)sizeof(void *));
    number("type_size", "long", (long)sizeof(long));
}
#endif

int main(void) {
#ifdef PROBE_HEADERS_ONLY
    os = PROBE_OS;
    arch = PROBE_ARCH;
    source = PROBE_SOURCE;
#else
    static struct utsname name;
    if (uname(&name) < 0) {
        perror("uname");
        return 1;
    }
    os = strncmp(name.sysname, "IRIX", 4) == 0 ? "IRIX" : strcmp(name.sysname, "SunOS") == 0 ? "Solaris/illumos" : name.sysname;
    arch = sizeof(void *) == 8 ? "LP64" : "ILP32";
#endif
    printf("os,arch_or_abi,kind,name,value,source,confidence\n");
#ifdef PROT_NONE
    hex("const", "PROT_NONE", (long)PROT_NONE);
#endif
#ifdef PROT_READ
    hex("const", "PROT_READ", (long)PROT_READ);
#endif
#ifdef PROT_WRITE
    hex("const", "PROT_WRITE", (long)PROT_WRITE);
#endif
#ifdef PROT_EXEC
    hex("const", "PROT_EXEC", (long)PROT_EXEC);
#endif
#ifdef MCL_CURRENT
    hex("const", "MCL_CURRENT", (long)MCL_CURRENT);
#endif
#ifdef MCL_FUTURE
    hex("const", "MCL_FUTURE", (long)MCL_FUTURE);
#endif
#ifdef MCL_ONFAULT
    hex("const", "MCL_ONFAULT", (long)MCL_ONFAULT);
#endif
#ifdef MLOCK_ONFAULT
    hex("const", "MLOCK_ONFAULT", (long)MLOCK_ONFAULT);
#endif
#ifdef MS_ASYNC
    hex("const", "MS_ASYNC", (long)MS_ASYNC);
#endif
#ifdef MS_INVALIDATE
    hex("const", "MS_INVALIDATE", (long)MS_INVALIDATE);
#endif
#ifdef MS_SYNC
    hex("const", "MS_SYNC", (long)MS_SYNC);
#endif
#ifdef MAP_SHARED
    hex("const", "MAP_SHARED", (long)MAP_SHARED);
#endif
#ifdef MAP_PRIVATE
    hex("const", "MAP_PRIVATE", (long)MAP_PRIVATE);
#endif
#ifdef MAP_FIXED
    hex("const", "MAP_FIXED", (long)MAP_FIXED);
#endif
#ifdef MAP_ANONYMOUS
    hex("const", "MAP_ANONYMOUS", (long)MAP_ANONYMOUS);
#endif
#ifdef MAP_ANON
    hex("const", "MAP_ANON", (long)MAP_ANON);
#endif
#ifdef MAP_NORESERVE
    hex("const", "MAP_NORESERVE", (long)MAP_NORESERVE);
#endif
#ifdef MAP_LOCKED
    hex("const", "MAP_LOCKED", (long)MAP_LOCKED);
#endif
#ifdef MC_SYNC
    hex("const", "MC_SYNC", (long)MC_SYNC);
#endif
#ifdef MC_LOCK
    hex("const", "MC_LOCK", (long)MC_LOCK);
#endif
#ifdef MC_UNLOCK
    hex("const", "MC_UNLOCK", (long)MC_UNLOCK);
#endif
#ifdef MC_LOCKAS
    hex("const", "MC_LOCKAS", (long)MC_LOCKAS);
#endif
#ifdef MC_UNLOCKAS
    hex("const", "MC_UNLOCKAS", (long)MC_UNLOCKAS);
#endif
#ifdef PRIV_RTPRIO
    hex("const", "PRIV_RTPRIO", (long)PRIV_RTPRIO);
#endif
#ifdef PRIV_MLOCK
    hex("const", "PRIV_MLOCK", (long)PRIV_MLOCK);
#endif
#ifdef PRIV_CHOWN
    hex("const", "PRIV_CHOWN", (long)PRIV_CHOWN);
#endif
#ifdef PRIV_MAXGRPS
    hex("const", "PRIV_MAXGRPS", (long)PRIV_MAXGRPS);
#endif
#ifdef PRIV_MASKSIZ
    hex("const", "PRIV_MASKSIZ", (long)PRIV_MASKSIZ);
#endif
#ifdef PRIV_NONE
    hex("const", "PRIV_NONE", (long)PRIV_NONE);
#endif
#ifdef PRIV_GLOBAL
    hex("const", "PRIV_GLOBAL", (long)PRIV_GLOBAL);
#endif
#ifdef AIO_CANCELED
    hex("const", "AIO_CANCELED", (long)AIO_CANCELED);
#endif
#ifdef AIO_NOTCANCELED
    hex("const", "AIO_NOTCANCELED", (long)AIO_NOTCANCELED);
#endif
#ifdef AIO_ALLDONE
    hex("const", "AIO_ALLDONE", (long)AIO_ALLDONE);
#endif
#ifdef SIGEV_NONE
    hex("const", "SIGEV_NONE", (long)SIGEV_NONE);
#endif
#ifdef RCTL_FIRST
    hex("const", "RCTL_FIRST", (long)RCTL_FIRST);
#endif
#ifdef RCTL_NEXT
    hex("const", "RCTL_NEXT", (long)RCTL_NEXT);
#endif
#ifdef RCTL_USAGE
    hex("const", "RCTL_USAGE", (long)RCTL_USAGE);
#endif
#ifdef RCPRIV_BASIC
    hex("const", "RCPRIV_BASIC", (long)RCPRIV_BASIC);
#endif
#ifdef RCPRIV_PRIVILEGED
    hex("const", "RCPRIV_PRIVILEGED", (long)RCPRIV_PRIVILEGED);
#endif
#ifdef RCPRIV_SYSTEM
    hex("const", "RCPRIV_SYSTEM", (long)RCPRIV_SYSTEM);
#endif
#ifdef MA_NORESERVE
    hex("const", "MA_NORESERVE", (long)MA_NORESERVE);
#endif
    /* Enumerators in some systems; those without a macro are not printed. */
#ifdef EPERM
    number("errno", "EPERM", (long)EPERM);
#endif
#ifdef ENOENT
    number("errno", "ENOENT", (long)ENOENT);
#endif
#ifdef EINTR
    number("errno", "EINTR", (long)EINTR);
#endif
#ifdef EIO
    number("errno", "EIO", (long)EIO);
#endif
#ifdef EBADF
    number("errno", "EBADF", (long)EBADF);
#endif
#ifdef EAGAIN
    number("errno", "EAGAIN", (long)EAGAIN);
#endif
#ifdef EWOULDBLOCK
    number("errno", "EWOULDBLOCK", (long)EWOULDBLOCK);
#endif
#ifdef ENOMEM
    number("errno", "ENOMEM", (long)ENOMEM);
#endif
#ifdef EACCES
    number("errno", "EACCES", (long)EACCES);
#endif
#ifdef EFAULT
    number("errno", "EFAULT", (long)EFAULT);
#endif
#ifdef EBUSY
    number("errno", "EBUSY", (long)EBUSY);
#endif
#ifdef EINVAL
    number("errno", "EINVAL", (long)EINVAL);
#endif
#ifdef ENOSPC
    number("errno", "ENOSPC", (long)ENOSPC);
#endif
#ifdef EDEADLK
    number("errno", "EDEADLK", (long)EDEADLK);
#endif
#ifdef ENOSYS
    number("errno", "ENOSYS", (long)ENOSYS);
#endif
#ifdef EOPNOTSUPP
    number("errno", "EOPNOTSUPP", (long)EOPNOTSUPP);
#endif
#ifdef ENOTSUP
    number("errno", "ENOTSUP", (long)ENOTSUP);
#endif
#ifdef EINPROGRESS
    number("errno", "EINPROGRESS", (long)EINPROGRESS);
#endif
#ifdef ECANCELED
    number("errno", "ECANCELED", (long)ECANCELED);
#endif
#ifdef RLIMIT_MEMLOCK
    number("rlimit", "RLIMIT_MEMLOCK", (long)RLIMIT_MEMLOCK);
#endif
#ifdef RLIMIT_AS
    number("rlimit", "RLIMIT_AS", (long)RLIMIT_AS);
#endif
#ifdef RLIMIT_RSS
    number("rlimit", "RLIMIT_RSS", (long)RLIMIT_RSS);
#endif
#ifdef RLIMIT_NOFILE
    number("rlimit", "RLIMIT_NOFILE", (long)RLIMIT_NOFILE);
#endif
#ifdef RLIM_INFINITY
    limit("RLIM_INFINITY", (rlim_t)RLIM_INFINITY);
#endif
#ifndef PROBE_HEADERS_ONLY
#ifdef _SC_PAGESIZE
    number("sysconf", "_SC_PAGESIZE", (long)_SC_PAGESIZE);
#endif
#ifdef _SC_PAGE_SIZE
    number("sysconf", "_SC_PAGE_SIZE", (long)_SC_PAGE_SIZE);
#endif
#ifdef _SC_MEMLOCK
    number("sysconf", "_SC_MEMLOCK", (long)_SC_MEMLOCK);
#endif
#ifdef _SC_MEMLOCK_RANGE
    number("sysconf", "_SC_MEMLOCK_RANGE", (long)_SC_MEMLOCK_RANGE);
#endif
    structures();
#endif
    return 0;
}
