/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of Solaris that its backend calls, passed on to a remote-agent. */
#include "remote.h"

int getpagesize(void) {
    return (int)REMOTE0("getpagesize");
}

int memcntl(void *addr, size_t len, int command, void *argument, int attributes, int mask) {
    return (int)REMOTE("memcntl", SIZE(addr), SIZE(len), WORD(command), SIZE(argument), WORD(attributes), WORD(mask));
}

int mctl(void *addr, size_t len, int function, int argument) {
    return (int)REMOTE("mctl", SIZE(addr), SIZE(len), WORD(function), WORD(argument));
}

int mincore(void *addr, size_t len, char *vec) {
    size_t page = (size_t)getpagesize();
    return (int)REMOTE("mincore", SIZE(addr), SIZE(len), OUT(vec, (len + page - 1) / page, "1"));
}

int priv_ineffect(const char *privilege) {
    return (int)REMOTE("priv_ineffect", TEXT(privilege));
}

/* The blocks are opaque to callers, and only read by the functions below. */
size_t rctlblk_size(void) {
    return (size_t)REMOTE0("rctlblk_size");
}

int getrctl(const char *name, void *old, void *new, unsigned flags) {
    size_t size = rctlblk_size();
    return (int)REMOTE("getrctl", TEXT(name), old == NULL ? NOTHING : IN(old, size, "1"),
            new == NULL ? NOTHING : INOUT(new, size, "1"), WORD((int)flags));
}

uint64_t rctlblk_get_value(const void *block) {
    return (uint64_t)REMOTE("rctlblk_get_value", IN(block, rctlblk_size(), "1"));
}

int rctlblk_get_privilege(const void *block) {
    return (int)REMOTE("rctlblk_get_privilege", IN(block, rctlblk_size(), "1"));
}

unsigned rctlblk_get_local_action(const void *block, int *signal) {
    return (unsigned)REMOTE("rctlblk_get_local_action", IN(block, rctlblk_size(), "1"), OUT(signal, sizeof *signal, "4"));
}
