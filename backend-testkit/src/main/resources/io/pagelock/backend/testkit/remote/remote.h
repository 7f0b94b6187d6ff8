/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the libraries of remote systems share. Such a library is one C file that includes this one and exports the functions of
 * its system, each of which passes its call on to a remote-agent there. It runs on Linux in a JVM, in the place of the system's
 * C library, so that a backend's binding, structures and errno are used as they are.
 *
 *     int mlock(const void *addr, size_t len) {
 *         return (int)REMOTE("mlock", WORD(addr), WORD(len));
 *     }
 *
 * Addresses of pages are the agent's; what lies in memory goes there and back with IN, OUT and INOUT. Their last part says
 * how wide the members are, a digit each, over and over: "8" for an rlimit, "1" for text. They are turned where the agent's
 * order of bytes is the other one. The wire is described in remote-agent.c.
 */
#ifndef PAGELOCK_REMOTE_H
#define PAGELOCK_REMOTE_H

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Everywhere the same number: what a call answers whose session has ended. */
enum { REMOTE_EBADF = 9, REMOTE_SECONDS_TO_END = 10 };

struct remote_argument {
    uint64_t word;
    const void *in;
    void *out;
    uint32_t length;
    const char *units;
};

#define WORD(x) ((struct remote_argument){(uint64_t)(intptr_t)(x), NULL, NULL, 0, NULL})
/* Of a pointer or size_t, which on 32 bits is not to be extended by its sign. */
#define SIZE(x) ((struct remote_argument){(uint64_t)(uintptr_t)(x), NULL, NULL, 0, NULL})
/* Of an off_t, which has 8 bytes on 32 bits, too. */
#define WIDE(x) ((struct remote_argument){(uint64_t)(int64_t)(x), NULL, NULL, 0, NULL})
#define IN(p, length, units) ((struct remote_argument){0, p, NULL, (uint32_t)(length), units})
#define OUT(p, length, units) ((struct remote_argument){0, NULL, p, (uint32_t)(length), units})
#define INOUT(p, length, units) ((struct remote_argument){0, p, p, (uint32_t)(length), units})
#define TEXT(p) IN(p, strlen(p) + 1, "1")
#define NOTHING SIZE(0)

#define REMOTE(name, ...)                                          \
    remote_call(name, (struct remote_argument[]){__VA_ARGS__},   \
            sizeof((struct remote_argument[]){__VA_ARGS__}) / sizeof(struct remote_argument))
#define REMOTE0(name) remote_call(name, NULL, 0)

/* A call under way, on the stack of the thread that waits for it. */
struct remote_waiter {
    uint32_t id;
    const struct remote_argument *arguments;
    size_t count;
    int64_t result;
    int error;
    int done;
    struct remote_waiter *next;
};

static struct {
    int fd; /* -1: no session */
    int swaps;
    int users;
    uint32_t next_id;
    struct remote_waiter *waiters;
    pthread_t reader;
    char facts[4096];
    char failure[256];
} remote = {.fd = -1};

static pthread_mutex_t remote_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t remote_writing = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t remote_changed = PTHREAD_COND_INITIALIZER;

/* read, write and close may be functions that this library exports. */
static int remote_receive(int fd, void *to, size_t length) {
    char *at = to;
    while (length > 0) {
        ssize_t got = recv(fd, at, length, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return -1;
        }
        at += got;
        length -= (size_t)got;
    }
    return 0;
}

static int remote_send(int fd, const void *from, size_t length) {
    const char *at = from;
    while (length > 0) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return -1;
        }
        at += sent;
        length -= (size_t)sent;
    }
    return 0;
}

static void remote_put(unsigned char *at, uint64_t value, int bytes) {
    while (bytes-- > 0) {
        at[bytes] = (unsigned char)value;
        value >>= 8;
    }
}

static uint64_t remote_get(const unsigned char *at, int bytes) {
    uint64_t value = 0;
    while (bytes-- > 0) {
        value = value << 8 | *at++;
    }
    return value;
}

/* Turns each member round. */
static void remote_turn(unsigned char *at, uint32_t length, const char *units) {
    uint32_t done = 0;
    size_t unit = 0;
    while (done < length) {
        uint32_t width = (uint32_t)(units[unit] - '0');
        uint32_t i;
        unit = units[unit + 1] == 0 ? 0 : unit + 1;
        if (width > length - done) {
            return;
        }
        for (i = 0; i < width / 2; i++) {
            unsigned char other = at[done + i];
            at[done + i] = at[done + width - 1 - i];
            at[done + width - 1 - i] = other;
        }
        done += width;
    }
}

static void remote_break(const char *why) {
    struct remote_waiter *each;
    pthread_mutex_lock(&remote_lock);
    if (remote.failure[0] == 0) {
        snprintf(remote.failure, sizeof remote.failure, "%s", why);
    }
    for (each = remote.waiters; each != NULL; each = each->next) {
        each->result = -1;
        each->error = REMOTE_EBADF;
        each->done = 1;
    }
    remote.waiters = NULL;
    pthread_cond_broadcast(&remote_changed);
    pthread_mutex_unlock(&remote_lock);
}

static struct remote_waiter *remote_waiter_of(uint32_t id) {
    struct remote_waiter *each;
    pthread_mutex_lock(&remote_lock);
    for (each = remote.waiters; each != NULL && each->id != id; each = each->next) {
    }
    pthread_mutex_unlock(&remote_lock);
    return each;
}

static void remote_finish(struct remote_waiter *of) {
    struct remote_waiter **at;
    pthread_mutex_lock(&remote_lock);
    for (at = &remote.waiters; *at != NULL; at = &(*at)->next) {
        if (*at == of) {
            *at = of->next;
            break;
        }
    }
    of->done = 1;
    pthread_cond_broadcast(&remote_changed);
    pthread_mutex_unlock(&remote_lock);
}

/* One answer, straight into the memory of the thread that waits for it. NULL, or why there is no further one. */
static const char *remote_answer(int fd) {
    static char said[200];
    unsigned char head[9];
    unsigned char rest[12];
    struct remote_waiter *of;
    uint32_t length;
    size_t i;
    if (remote_receive(fd, head, sizeof head) != 0) {
        return "the agent closed the connection";
    }
    length = (uint32_t)remote_get(head, 4) - 5;
    if (head[8] != 0) {
        size_t size = length < sizeof said - 1 ? length : sizeof said - 1;
        memset(said, 0, sizeof said);
        return remote_receive(fd, said, size) == 0 ? said : "the agent closed the connection";
    }
    of = remote_waiter_of((uint32_t)remote_get(head + 4, 4));
    if (of == NULL || length < sizeof rest || remote_receive(fd, rest, sizeof rest) != 0) {
        return "the agent's answer makes no sense";
    }
    length -= sizeof rest;
    for (i = 0; i < of->count; i++) {
        const struct remote_argument *each = &of->arguments[i];
        if (each->out != NULL) {
            if (each->length > length || remote_receive(fd, each->out, each->length) != 0) {
                return "the agent's answer is too short";
            }
            length -= each->length;
            if (remote.swaps) {
                remote_turn(each->out, each->length, each->units);
            }
        }
    }
    if (length != 0) {
        return "the agent's answer is too long";
    }
    of->result = (int64_t)remote_get(rest, 8);
    of->error = (int)remote_get(rest + 8, 4);
    remote_finish(of);
    return NULL;
}

static void *remote_read(void *nothing) {
    int fd = remote.fd;
    const char *why;
    do {
        why = remote_answer(fd);
    } while (why == NULL);
    remote_break(why);
    return nothing;
}

/* Whether the agent's system has a function, by what it said at first. */
int remote_has(const char *name) {
    const char *at = strrchr(remote.facts, '\t');
    size_t length = strlen(name);
    while (at != NULL) {
        at++;
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == 0)) {
            return 1;
        }
        at = strchr(at, ',');
    }
    return 0;
}

static size_t remote_frame(unsigned char *at, uint32_t id, const char *name, const struct remote_argument *arguments, size_t count) {
    unsigned char *start = at;
    size_t i;
    at += 4;
    remote_put(at, id, 4);
    at += 4;
    *at++ = (unsigned char)strlen(name);
    memcpy(at, name, strlen(name));
    at += strlen(name);
    *at++ = (unsigned char)count;
    for (i = 0; i < count; i++) {
        const struct remote_argument *each = &arguments[i];
        if (each->units == NULL) {
            *at = 'i';
            remote_put(at + 1, each->word, 8);
            at += 9;
            continue;
        }
        at[0] = 'm';
        at[1] = (unsigned char)((each->in != NULL ? 1 : 0) | (each->out != NULL ? 2 : 0));
        remote_put(at + 2, each->length, 4);
        at += 6;
        if (each->in != NULL) {
            memcpy(at, each->in, each->length);
            if (remote.swaps) {
                remote_turn(at, each->length, each->units);
            }
            at += each->length;
        }
    }
    remote_put(start, (uint64_t)(at - start - 4), 4);
    return (size_t)(at - start);
}

/* Passes a call on, and waits for its answer. Sets errno, which is the agent's number, if the agent did. */
static int64_t remote_call(const char *name, const struct remote_argument *arguments, size_t count) {
    struct remote_waiter waiter = {.arguments = arguments, .count = count, .result = -1, .error = REMOTE_EBADF};
    size_t size = 16 + strlen(name);
    unsigned char *frame;
    size_t i;
    int fd;
    for (i = 0; i < count; i++) {
        size += 9 + (arguments[i].in != NULL ? arguments[i].length : 0);
    }
    frame = malloc(size);
    pthread_mutex_lock(&remote_lock);
    fd = remote.fd;
    if (fd < 0 || frame == NULL || remote.failure[0] != 0) {
        pthread_mutex_unlock(&remote_lock);
        free(frame);
        errno = REMOTE_EBADF;
        return -1;
    }
    remote.users++;
    waiter.id = remote.next_id++;
    waiter.next = remote.waiters;
    remote.waiters = &waiter;
    pthread_mutex_unlock(&remote_lock);
    size = remote_frame(frame, waiter.id, name, arguments, count);
    pthread_mutex_lock(&remote_writing);
    if (remote_send(fd, frame, size) != 0) {
        /* The reader sees the end, too, and wakes this thread. */
        shutdown(fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&remote_writing);
    free(frame);
    pthread_mutex_lock(&remote_lock);
    while (!waiter.done) {
        pthread_cond_wait(&remote_changed, &remote_lock);
    }
    remote.users--;
    pthread_cond_broadcast(&remote_changed);
    pthread_mutex_unlock(&remote_lock);
    if (waiter.error != 0) {
        errno = waiter.error;
    }
    return waiter.result;
}

/* ---- for the harness ---- */

/* Ends the session, and with it everything that it locked. */
void remote_close(void) {
    struct timespec until;
    pthread_mutex_lock(&remote_lock);
    int fd = remote.fd;
    if (fd >= 0 && remote.failure[0] == 0) {
        strcpy(remote.failure, "the session was closed");
    }
    pthread_mutex_unlock(&remote_lock);
    if (fd < 0) {
        return;
    }
    /* The agent unlocks what it has locked, and closes the connection then: what its system counts is right for the next session. */
    shutdown(fd, SHUT_WR);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += REMOTE_SECONDS_TO_END;
    /* The reader wakes who waits, not this thread: it may be writing into their memory. */
    if (pthread_timedjoin_np(remote.reader, NULL, &until) != 0) {
        shutdown(fd, SHUT_RDWR);
        pthread_join(remote.reader, NULL);
    }
    pthread_mutex_lock(&remote_lock);
    while (remote.users > 0) {
        pthread_cond_wait(&remote_changed, &remote_lock);
    }
    remote.fd = -1;
    pthread_mutex_unlock(&remote_lock);
    syscall(SYS_close, fd);
}

static int remote_connect(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    struct addrinfo *each;
    int one = 1;
    int fd = -1;
    if (getaddrinfo(host, port, &hints, &all) != 0) {
        return -1;
    }
    for (each = all; each != NULL && fd < 0; each = each->ai_next) {
        fd = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
        if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
            syscall(SYS_close, fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    }
    return fd;
}

/* Opens a session. 0 and the agent's facts, or -1 and the reason, in a text of `size` bytes. */
int remote_open(const char *host, const char *port, const char *key, char *text, int size) {
    static const int one = 1;
    char line[300];
    size_t length = 0;
    int fd;
    remote_close();
    fd = remote_connect(host, port);
    if (fd < 0) {
        snprintf(text, (size_t)size, "cannot connect to %s:%s", host, port);
        return -1;
    }
    snprintf(line, sizeof line, "pagelock-remote 1 %s\n", key);
    memset(remote.facts, 0, sizeof remote.facts);
    if (remote_send(fd, line, strlen(line)) != 0) {
        remote.facts[0] = 0;
    }
    while (length < sizeof remote.facts - 1 && remote_receive(fd, remote.facts + length, 1) == 0
           && remote.facts[length] != '\n') {
        length++;
    }
    remote.facts[length] = 0;
    if (strncmp(remote.facts, "ok\t", 3) != 0) {
        snprintf(text, (size_t)size, "the agent at %s:%s refuses: %s", host, port,
                strncmp(remote.facts, "no\t", 3) == 0 ? remote.facts + 3 : "it closed the connection");
        syscall(SYS_close, fd);
        return -1;
    }
    remote.swaps = (strstr(remote.facts, "\tbig\t") != NULL) == (*(const char *)&one == 1);
    remote.failure[0] = 0;
    remote.fd = fd;
    snprintf(text, (size_t)size, "%s", remote.facts);
    if (pthread_create(&remote.reader, NULL, remote_read, NULL) != 0) {
        remote.fd = -1;
        syscall(SYS_close, fd);
        snprintf(text, (size_t)size, "cannot start a thread");
        return -1;
    }
    return 0;
}

/* Why the session ended by itself; empty if it did not. */
void remote_failure(char *text, int size) {
    pthread_mutex_lock(&remote_lock);
    snprintf(text, (size_t)size, "%s", remote.failure);
    pthread_mutex_unlock(&remote_lock);
}

/* Whether this library has a function itself, and not only the C library below it, which would act on this process. */
int remote_defines(const char *name) {
    Dl_info own;
    Dl_info its;
    void *self;
    void *function;
    if (dladdr(remote.facts, &own) == 0 || (self = dlopen(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD)) == NULL) {
        return 0;
    }
    function = dlsym(self, name);
    dlclose(self);
    return function != NULL && dladdr(function, &its) != 0 && its.dli_fbase == own.dli_fbase;
}

/* Any function of the agent, with numbers, and of those that are memory at most one in and one out; -1 for neither. */
int64_t remote_invoke(
        const char *name, int count, const uint64_t *words, int in_at, const void *in, int in_length, int out_at, void *out,
        int out_length) {
    struct remote_argument arguments[8];
    int i;
    for (i = 0; i < count && i < 8; i++) {
        arguments[i] = i == in_at ? IN(in, in_length, "1")
            : i == out_at         ? OUT(out, out_length, "1")
                                  : (struct remote_argument){words[i], NULL, NULL, 0, NULL};
    }
    return remote_call(name, arguments, (size_t)count);
}

/* ---- functions that most systems have alike: a library that wants them defines REMOTE_POSIX first ---- */

#ifdef REMOTE_POSIX
int getpagesize(void) {
    return (int)REMOTE0("getpagesize");
}

unsigned geteuid(void) {
    return (unsigned)REMOTE0("geteuid");
}

int mlock(const void *addr, size_t len) {
    return (int)REMOTE("mlock", SIZE(addr), SIZE(len));
}

int munlock(const void *addr, size_t len) {
    return (int)REMOTE("munlock", SIZE(addr), SIZE(len));
}

int mlockall(int flags) {
    return (int)REMOTE("mlockall", WORD(flags));
}

int munlockall(void) {
    return (int)REMOTE0("munlockall");
}

int msync(void *addr, size_t len, int flags) {
    return (int)REMOTE("msync", SIZE(addr), SIZE(len), WORD(flags));
}
#endif

#endif
