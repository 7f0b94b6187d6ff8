/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent for another processor under user-mode emulation, which does not have all that a kernel on that processor has:
 * /proc/self/pagemap comes in the order of the processor underneath, and PROCMAP_QUERY does not come at all. Both are added here, so
 * that the way there is tested with what such a kernel answers.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static ssize_t turned(int fd, void *to, ssize_t got) {
    unsigned char *at = to;
    char link[32];
    char name[64];
    ssize_t length;
    ssize_t i;
    int byte;
    if (got <= 0) {
        return got;
    }
    sprintf(link, "/proc/self/fd/%d", fd);
    length = readlink(link, name, sizeof name);
    if (length > 8 && memcmp(name + length - 8, "/pagemap", 8) == 0) {
        for (i = 0; i + 8 <= got; i += 8) {
            for (byte = 0; byte < 4; byte++) {
                unsigned char other = at[i + byte];
                at[i + byte] = at[i + 7 - byte];
                at[i + 7 - byte] = other;
            }
        }
    }
    return got;
}

/* struct procmap_query and its flags, include/uapi/linux/fs.h of Linux 6.11. */
struct query {
    uint64_t size, flags, address, start, end, mapping_flags, page_size, offset, inode;
    uint32_t major, minor, name_size, build_id_size;
    uint64_t name, build_id;
};

enum { PROCMAP_QUERY = 0xc0686611, COVERING_OR_NEXT = 0x10 };

static int query_maps(struct query *query) {
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    int found = 0;
    while (!found && maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end, offset, inode;
        char may[8];
        if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &start, &end, may, &offset, &query->major, &query->minor, &inode) == 7
            && query->address < end && (query->address >= start || (query->flags & COVERING_OR_NEXT))) {
            query->start = start;
            query->end = end;
            query->offset = offset;
            query->inode = inode;
            query->mapping_flags = (may[0] == 'r') | (may[1] == 'w') << 1 | (may[2] == 'x') << 2 | (may[3] == 's') << 3;
            found = 1;
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
    errno = found ? errno : ENOENT;
    return found ? 0 : -1;
}

#define read(fd, to, length) turned(fd, to, read(fd, to, length))
#define pread(fd, to, length, from) turned(fd, to, pread(fd, to, length, from))
#define ioctl(fd, request, argument) \
    ((request) == PROCMAP_QUERY ? query_maps((struct query *)(argument)) : ioctl(fd, request, argument))

#include "remote-agent.c"
