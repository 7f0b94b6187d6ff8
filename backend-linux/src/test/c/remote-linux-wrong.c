/* SPDX-License-Identifier: Apache-2.0 */
/* A way that is wrong in one place, given by FAULT, so that it can be seen that the contract notices. */
#define mlock right_mlock
#define munlock right_munlock
#include "remote-linux.c"
#undef mlock
#undef munlock

enum { UNASKED_LOCK, SHORT_LOCK, UNASKED_UNLOCK, LOST_ERRNO };

int mlock(const void *addr, size_t len) {
    int result = FAULT == UNASKED_LOCK ? 0 : right_mlock(addr, FAULT == SHORT_LOCK ? len - (size_t)getpagesize() : len);
    errno = FAULT == LOST_ERRNO ? 0 : errno;
    return result;
}

int munlock(const void *addr, size_t len) {
    return FAULT == UNASKED_UNLOCK ? 0 : right_munlock(addr, len);
}
