/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of the tests over a stand-in, far from where the kernel puts other mappings, so that holes stay holes. Only
 * system calls of the Linux underneath, since a stand-in may export the names of the C library as those of its system.
 */
#ifndef PAGELOCK_STANDIN_MEMORY_H
#define PAGELOCK_STANDIN_MEMORY_H

#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/types.h>
#ifndef PROT_READ
#include <linux/mman.h>
#endif

/* unistd.h may declare too much. */
extern long syscall(long number, ...);
extern int ftruncate64(int fd, off64_t length);

enum { ANONYMOUS, FILE_BACKED, NORESERVE };

struct mapping {
    char *start;
    size_t length;
    int kind;
    int fd;
};

#define MAPPINGS 65536
static struct mapping mappings[MAPPINGS];
static int mapping_count;
static pthread_mutex_t mappings_lock = PTHREAD_MUTEX_INITIALIZER;
static char *next_address;

static size_t page_size(void) {
    static size_t size;
    if (size == 0) {
        size = (size_t)getauxval(AT_PAGESZ);
    }
    return size;
}

static struct mapping *mapping_at(const char *address) {
    int i;
    for (i = mapping_count - 1; i >= 0; i--) {
        if (address >= mappings[i].start && address < mappings[i].start + mappings[i].length) {
            return &mappings[i];
        }
    }
    return NULL;
}

/* Without an offset. On i386 and s390x, SYS_mmap takes a structure. */
static char *linux_mmap(char *at, size_t length, int flags, int fd) {
#ifdef SYS_mmap2
    return (char *)syscall(SYS_mmap2, at, length, PROT_READ | PROT_WRITE, flags, fd, 0);
#elif defined(__s390x__)
    unsigned long arguments[] = {(unsigned long)at, length, PROT_READ | PROT_WRITE, (unsigned long)flags, (unsigned long)fd, 0};
    return (char *)syscall(SYS_mmap, arguments);
#else
    return (char *)syscall(SYS_mmap, at, length, PROT_READ | PROT_WRITE, flags, fd, 0);
#endif
}

static char *standin_map_as(long pages, int kind) {
    size_t length = (size_t)pages * page_size();
    char *at;
    int fd = -1;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    pthread_mutex_lock(&mappings_lock);
    if (next_address == NULL) {
        /* On 32 bits in the upper half, where an address that somebody takes for signed is wrong. */
        next_address = (char *)(sizeof(void *) == 8 ? (uintptr_t)0x200000000000u : (uintptr_t)0x90000000u);
    }
    at = next_address + page_size();
    next_address = at + length + page_size();
    if (mapping_count == MAPPINGS) {
        pthread_mutex_unlock(&mappings_lock);
        return NULL;
    }
    if (kind == FILE_BACKED) {
        fd = (int)syscall(SYS_memfd_create, "standin", 0);
        if (fd < 0 || ftruncate64(fd, (off64_t)length) != 0) {
            pthread_mutex_unlock(&mappings_lock);
            return NULL;
        }
        flags = MAP_SHARED;
    } else if (kind == NORESERVE) {
        flags |= MAP_NORESERVE;
    }
    at = linux_mmap(at, length, flags | MAP_FIXED_NOREPLACE, fd);
    if (at == (char *)-1) {
        pthread_mutex_unlock(&mappings_lock);
        return NULL;
    }
    syscall(SYS_madvise, at, length, MADV_NOHUGEPAGE);
    mappings[mapping_count].start = at;
    mappings[mapping_count].length = length;
    mappings[mapping_count].kind = kind;
    mappings[mapping_count].fd = fd;
    mapping_count++;
    pthread_mutex_unlock(&mappings_lock);
    return at;
}

void *standin_map(long pages) {
    return standin_map_as(pages, ANONYMOUS);
}

void *standin_map_file(long pages) {
    return standin_map_as(pages, FILE_BACKED);
}

void *standin_map_noreserve(long pages) {
    return standin_map_as(pages, NORESERVE);
}

int standin_unmap(void *address, long pages) {
    return (int)syscall(SYS_munmap, address, (size_t)pages * page_size());
}

int standin_remap(void *address, long pages) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    return linux_mmap(address, (size_t)pages * page_size(), flags, -1) == address ? 0 : -1;
}

int standin_protect(void *address, long pages) {
    return (int)syscall(SYS_mprotect, address, (size_t)pages * page_size(), PROT_NONE);
}

int standin_truncate(void *address, long pages) {
    struct mapping *at = mapping_at(address);
    return at == NULL || at->fd < 0 ? -1 : ftruncate64(at->fd, (off64_t)pages * (off64_t)page_size());
}

void standin_touch(void *address) {
    *(volatile char *)address = 1;
}

static void standin_unmap_all(void) {
    int i;
    pthread_mutex_lock(&mappings_lock);
    for (i = 0; i < mapping_count; i++) {
        syscall(SYS_munmap, mappings[i].start, mappings[i].length);
        if (mappings[i].fd >= 0) {
            syscall(SYS_close, mappings[i].fd);
        }
    }
    mapping_count = 0;
    pthread_mutex_unlock(&mappings_lock);
}

#endif
