/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of IRIX that its backend calls, passed on to a remote-agent. */
#define REMOTE_POSIX
#include "remote.h"

int mpin(void *addr, size_t len) {
    return (int)REMOTE("mpin", SIZE(addr), SIZE(len));
}

int munpin(void *addr, size_t len) {
    return (int)REMOTE("munpin", SIZE(addr), SIZE(len));
}
