// SPDX-License-Identifier: Apache-2.0
/*
 * FreeBSD's structures and numbers, written down anew for the stand-in and its driver. Sources: constants.csv and
 * freebsd-golden.md (recorded on 15.1), and for what they lack the headers sys/event.h, sys/user.h, sys/mman.h and
 * sys/sysctl.h of FreeBSD 10.4, 12.3 and 14. No system header that knows these names may be included beside this file.
 */
#ifndef STANDIN_FREEBSD_H
#define STANDIN_FREEBSD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FB_EPERM 1
#define FB_ENOENT 2
#define FB_EINTR 4
#define FB_EIO 5
#define FB_EBADF 9
#define FB_ENOMEM 12
#define FB_EFAULT 14
#define FB_EBUSY 16
#define FB_EINVAL 22
#define FB_EMFILE 24
#define FB_EAGAIN 35
#define FB_EINPROGRESS 36
#define FB_ENOSYS 78
#define FB_ECANCELED 85
#define FB_ECAPMODE 94

#define FB_PROT_NONE 0
#define FB_PROT_READ 1
#define FB_PROT_WRITE 2
#define FB_PROT_EXEC 4
#define FB_MAP_SHARED 0x1
#define FB_MAP_PRIVATE 0x2
#define FB_MAP_FIXED 0x10
#define FB_MAP_STACK 0x400
#define FB_MAP_ANON 0x1000
#define FB_MAP_GUARD 0x2000
#define FB_MADV_DONTNEED 4
#define FB_MADV_FREE 5
#define FB_MADV_NOCORE 8
#define FB_MADV_CORE 9
#define FB_INHERIT_COPY 1
#define FB_INHERIT_NONE 2
#define FB_INHERIT_ZERO 3
#define FB_MCL_CURRENT 1
#define FB_MCL_FUTURE 2
#define FB_MS_SYNC 0
#define FB_MS_ASYNC 1
#define FB_MS_INVALIDATE 2
#define FB_MINCORE_INCORE 0x1
#define FB_MINCORE_ALL 0x1f

#define FB_RLIMIT_MEMLOCK 6
#define FB_RLIM_INFINITY INT64_C(0x7fffffffffffffff)

#define FB_SC_ASYNCHRONOUS_IO 28
#define FB_SC_MEMLOCK 30
#define FB_SC_MEMLOCK_RANGE 31

#define FB_SIGEV_NONE 0
#define FB_SIGEV_SIGNAL 1
#define FB_SIGEV_THREAD 2
#define FB_SIGEV_KEVENT 3
#define FB_SIGEV_THREAD_ID 4
#define FB_SIGUSR1 30

#define FB_AIO_CANCELED 1
#define FB_AIO_NOTCANCELED 2
#define FB_AIO_ALLDONE 3
#define FB_LIO_MLOCK 0x20

#define FB_EVFILT_AIO (-3)
#define FB_EVFILT_USER (-11)
#define FB_EV_ADD 0x1
#define FB_EV_DELETE 0x2
#define FB_EV_ONESHOT 0x10
#define FB_EV_CLEAR 0x20
#define FB_EV_DISPATCH 0x80
#define FB_EV_EOF 0x8000
#define FB_NOTE_TRIGGER 0x01000000

#define FB_CTL_KERN 1
#define FB_KERN_PROC 14
#define FB_KERN_PROC_VMMAP 32
#define FB_KVME_TYPE_DEFAULT 1
#define FB_KVME_TYPE_VNODE 2
#define FB_KVME_TYPE_SWAP 3
#define FB_KVME_FLAG_USER_WIRED 0x40
#define FB_KVME_FLAG_POSIXSHM 0x100

/* armv7 and powerpc align int64_t to 8 bytes, i386 to 4; so does the compiler for each. */
union fb_sigval {
    int sival_int;
    void *sival_ptr;
};

struct fb_sigevent {
    int sigev_notify;
    int sigev_signo; /* the kqueue for SIGEV_KEVENT */
    union fb_sigval sigev_value;
    union {
        int threadid;
        unsigned short kevent_flags;
        long spare[8];
    } un;
};

struct fb_aiocb {
    int aio_fildes;
    int64_t aio_offset;
    volatile void *aio_buf;
    size_t aio_nbytes;
    int spare[2];
    void *spare2;
    int aio_lio_opcode;
    int aio_reqprio;
    struct {
        long status;
        long error;
        void *kernelinfo;
    } priv;
    struct fb_sigevent aio_sigevent;
};

/* time_t has 4 bytes on i386 and 8 elsewhere. */
#if defined(__i386__)
struct fb_timespec {
    int32_t tv_sec;
    long tv_nsec;
};
#else
struct fb_timespec {
    int64_t tv_sec;
    long tv_nsec;
};
#endif

/* As of FreeBSD 12; before, data was an intptr_t and there was no ext. */
struct fb_kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    int64_t data;
    void *udata;
    uint64_t ext[4];
};

struct fb_rlimit {
    int64_t rlim_cur;
    int64_t rlim_max;
};

struct fb_kinfo_vmentry {
    int kve_structsize;
    int kve_type;
    uint64_t kve_start;
    uint64_t kve_end;
    uint64_t kve_offset;
    uint64_t kve_vn_fileid;
    uint32_t kve_vn_fsid_freebsd11;
    int kve_flags;
    int kve_resident;
    int kve_private_resident;
    int kve_protection;
    int kve_ref_count;
    int kve_shadow_count;
    int kve_vn_type;
    uint64_t kve_vn_size;
    uint32_t kve_vn_rdev_freebsd11;
    uint16_t kve_vn_mode;
    uint16_t kve_status;
    uint64_t kve_vn_fsid;
    uint64_t kve_vn_rdev;
    int kve_spare[8];
    char kve_path[1024];
};

_Static_assert(sizeof(struct fb_rlimit) == 16, "rlimit");
_Static_assert(sizeof(struct fb_kinfo_vmentry) == 1160, "KINFO_VMENTRY_SIZE");
_Static_assert(offsetof(struct fb_kinfo_vmentry, kve_flags) == 44, "kve_flags");
_Static_assert(offsetof(struct fb_kinfo_vmentry, kve_path) == 136, "kve_path");
#if defined(__LP64__)
_Static_assert(sizeof(struct fb_aiocb) == 160, "aiocb");
_Static_assert(offsetof(struct fb_aiocb, aio_sigevent) == 80, "aio_sigevent");
_Static_assert(sizeof(struct fb_sigevent) == 80, "sigevent");
_Static_assert(sizeof(struct fb_kevent) == 64, "kevent");
#elif defined(__i386__)
_Static_assert(sizeof(struct fb_aiocb) == 96, "aiocb");
_Static_assert(offsetof(struct fb_aiocb, aio_sigevent) == 52, "aio_sigevent");
_Static_assert(sizeof(struct fb_sigevent) == 44, "sigevent");
_Static_assert(sizeof(struct fb_kevent) == 56, "kevent");
#endif

int mlock(const void *addr, size_t len);
int munlock(const void *addr, size_t len);
int mlockall(int flags);
int munlockall(void);
int msync(void *addr, size_t len, int flags);
int mincore(const void *addr, size_t len, char *vec);
void *mmap(void *addr, size_t len, int prot, int flags, int fd, int64_t offset);
int mprotect(void *addr, size_t len, int prot);
int madvise(void *addr, size_t len, int behav);
int minherit(void *addr, size_t len, int inherit);
int getpagesize(void);
int getpagesizes(size_t pagesize[], int nelem);
int getrlimit(int resource, struct fb_rlimit *rlp);
int sysctlbyname(const char *name, void *oldp, size_t *oldlenp, const void *newp, size_t newlen);
int sysctl(const int *name, unsigned int namelen, void *oldp, size_t *oldlenp, const void *newp, size_t newlen);
int cap_getmode(unsigned int *modep);

int aio_mlock(struct fb_aiocb *iocb);
int aio_error(const struct fb_aiocb *iocb);
ssize_t aio_return(struct fb_aiocb *iocb);
int aio_cancel(int fildes, struct fb_aiocb *iocb);
int aio_suspend(const struct fb_aiocb *const iocbs[], int niocb, const struct fb_timespec *timeout);
ssize_t aio_waitcomplete(struct fb_aiocb **iocbp, struct fb_timespec *timeout);
int lio_listio(int mode, struct fb_aiocb *const list[], int nent, struct fb_sigevent *sig);

int kqueue(void);
int kevent(
        int kq,
        const struct fb_kevent *changelist,
        int nchanges,
        struct fb_kevent *eventlist,
        int nevents,
        const struct fb_timespec *timeout);
int close(int fd);

/* For tests. */
void standin_boot(void);
void standin_set(const char *name, long value);
long standin_get(const char *name);
void standin_fail(const char *call, int nth, int number);
long standin_calls(const char *call);

#endif
