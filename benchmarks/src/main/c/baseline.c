// SPDX-License-Identifier: Apache-2.0
/*
 * The C side of the benchmarks, compiled on the spot: as a program of its own, and as a shared library that a JVM loads, so
 * that the same calls are also measured in the same process, with the same memory map and the same threads. Numbers are
 * nanoseconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Private memory that nobody has touched yet; 0 if there is none. */
int64_t fresh(int64_t length)
{
    void *at = mmap(NULL, (size_t) length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? 0 : (int64_t) (intptr_t) at;
}

int64_t map_file(const char *name, int64_t length)
{
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return 0;
    void *at = mmap(NULL, (size_t) length, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return at == MAP_FAILED ? 0 : (int64_t) (intptr_t) at;
}

int unmap(int64_t address, int64_t length)
{
    return munmap((void *) (intptr_t) address, (size_t) length);
}

/* Drops a file that is on the disk from the page cache. Only pages that nobody maps are dropped. */
int drop(const char *name)
{
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return -1;
    fdatasync(fd);
    int result = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return result;
}

int64_t lock_nanos(int64_t address, int64_t length)
{
    int64_t begin = now();
    if (mlock((void *) (intptr_t) address, (size_t) length) != 0)
        return -errno;
    return now() - begin;
}

int unlock(int64_t address, int64_t length)
{
    return munlock((void *) (intptr_t) address, (size_t) length);
}

/* mlock and munlock of the same range, so many times. */
int64_t pair_nanos(int64_t address, int64_t length, int64_t times)
{
    void *at = (void *) (intptr_t) address;
    int64_t begin = now();
    for (int64_t i = 0; i < times; i++) {
        if (mlock(at, (size_t) length) != 0 || munlock(at, (size_t) length) != 0)
            return -errno;
    }
    return now() - begin;
}

/* Locks all ranges one by one, then unlocks all. addresses has count entries. */
int64_t many_nanos(const int64_t *addresses, int64_t length, int64_t count)
{
    int64_t begin = now();
    for (int64_t i = 0; i < count; i++)
        if (mlock((void *) (intptr_t) addresses[i], (size_t) length) != 0)
            return -errno;
    for (int64_t i = 0; i < count; i++)
        if (munlock((void *) (intptr_t) addresses[i], (size_t) length) != 0)
            return -errno;
    return now() - begin;
}

#define MOST_THREADS 64

static struct {
    pthread_barrier_t ready;
    int64_t nanos, pairs;
} side_by_side_pairs;

static void *pairs_of_thread(void *at)
{
    int64_t count = 0;
    size_t page = (size_t) getpagesize();
    pthread_barrier_wait(&side_by_side_pairs.ready);
    for (int64_t end = now() + side_by_side_pairs.nanos; now() < end; count++)
        if (mlock(at, page) != 0 || munlock(at, page) != 0)
            return at;
    __atomic_fetch_add(&side_by_side_pairs.pairs, count, __ATOMIC_RELAXED);
    return NULL;
}

/* How often threads, each with a page of its own, lock and unlock it in so many milliseconds; negative if that fails. */
int64_t threads_pairs(int64_t start, int64_t distance, int32_t threads, int64_t millis)
{
    pthread_t all[MOST_THREADS];
    void *failed = NULL;
    if (threads > MOST_THREADS || pthread_barrier_init(&side_by_side_pairs.ready, NULL, (unsigned) threads) != 0)
        return -1;
    side_by_side_pairs.nanos = millis * 1000000;
    side_by_side_pairs.pairs = 0;
    for (int i = 0; i < threads; i++)
        if (pthread_create(&all[i], NULL, pairs_of_thread, (void *) (intptr_t) (start + i * distance)) != 0)
            abort();
    for (int i = 0; i < threads; i++) {
        void *result;
        pthread_join(all[i], &result);
        failed = result ? result : failed;
    }
    pthread_barrier_destroy(&side_by_side_pairs.ready);
    return failed ? -1 : side_by_side_pairs.pairs;
}

/*
 * Maps and unmaps a page again and again, pausing in between, until *stop is not 0. result[0] is the longest mmap or munmap,
 * result[1] how many pairs there were.
 */
void map_until(volatile int32_t *stop, int64_t pause, int64_t *result)
{
    struct timespec rest = { 0, pause };
    size_t page = (size_t) getpagesize();
    result[0] = result[1] = 0;
    while (!*stop) {
        int64_t begin = now();
        void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int64_t mapped = now();
        munmap(at, page);
        int64_t end = now();
        if (mapped - begin > result[0])
            result[0] = mapped - begin;
        if (end - mapped > result[0])
            result[0] = end - mapped;
        result[1]++;
        nanosleep(&rest, NULL);
    }
}

#ifndef LIBRARY
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#define STEP (8 << 20)

static struct {
    char *at;
    int64_t length, taken;
    int advice;
} paging;

static void *page_in(void *unused)
{
    int64_t from;
    while ((from = __atomic_fetch_add(&paging.taken, STEP, __ATOMIC_RELAXED)) < paging.length) {
        int64_t rest = paging.length - from;
        madvise(paging.at + from, (size_t) (rest < STEP ? rest : STEP), paging.advice);
    }
    return unused;
}

/* Locks with a thread for each processor: the most that the machine gives. The pages are locked on fault meanwhile. */
static int64_t lock_side_by_side_nanos(int64_t address, int64_t length, int advice)
{
    pthread_t helpers[3];
    int64_t others = sysconf(_SC_NPROCESSORS_ONLN) - 1;
    int64_t begin = now();
    paging.at = (char *) (intptr_t) address;
    paging.length = length;
    paging.advice = advice;
    if (mlock2(paging.at, (size_t) length, MLOCK_ONFAULT) != 0)
        return -errno;
    int started = 0;
    while (started < 3 && started < others && pthread_create(&helpers[started], NULL, page_in, NULL) == 0)
        started++;
    page_in(NULL);
    while (started > 0)
        pthread_join(helpers[--started], NULL);
    for (int64_t from = 0; from < length; from += STEP) {
        int64_t rest = length - from;
        if (mlock(paging.at + from, (size_t) (rest < STEP ? rest : STEP)) != 0)
            return -errno;
    }
    return now() - begin;
}

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return 1;
}

/*
 * pair TIMES | anonymous BYTES | file NAME BYTES, the last two also with side-by-side before them; prints nanoseconds, for pair
 * those of one pair in picoseconds.
 */
int main(int count, char **words)
{
    int64_t nanos;
    if (count == 3 && strcmp(words[1], "pair") == 0) {
        int64_t times = atoll(words[2]);
        long page = getpagesize();
        char *at = (char *) (intptr_t) fresh(64 * page);
        if (!at)
            return fail("mmap");
        memset(at, 1, (size_t) (64 * page));
        pair_nanos((int64_t) (intptr_t) (at + 32 * page), page, times / 10);
        nanos = pair_nanos((int64_t) (intptr_t) (at + 32 * page), page, times);
        if (nanos < 0)
            return fail("mlock");
        printf("%lld\n", (long long) (nanos * 1000 / times));
        return 0;
    }
    int64_t at, length;
    int advice = MADV_POPULATE_READ;
    int side_by_side = count > 1 && strcmp(words[1], "side-by-side") == 0;
    count -= side_by_side;
    words += side_by_side;
    if (count == 3 && strcmp(words[1], "anonymous") == 0) {
        length = atoll(words[2]);
        at = fresh(length);
        advice = MADV_POPULATE_WRITE;
    } else if (count == 4 && strcmp(words[1], "file") == 0) {
        length = atoll(words[3]);
        at = map_file(words[2], length);
    } else {
        fprintf(stderr, "usage: baseline pair TIMES | [side-by-side] anonymous BYTES | [side-by-side] file NAME BYTES\n");
        return 2;
    }
    if (!at)
        return fail("mmap");
    nanos = side_by_side ? lock_side_by_side_nanos(at, length, advice) : lock_nanos(at, length);
    if (nanos < 0)
        return fail("mlock");
    printf("%lld\n", (long long) nanos);
    return 0;
}
#endif
