/* SPDX-License-Identifier: Apache-2.0 */
/* A remote-agent whose kernel is the stand-in. The calls of POSIX are memcntl's, as in libc there. */
#include "solaris.c"

#define AGENT_STANDIN "SunOS"
#define AGENT_RELEASE "5.11"
#define AGENT_MACHINE64 "amd64"
#define AGENT_MACHINE32 "x86"
#define AGENT_STANDIN_MEMORY
#define AGENT_STANDIN_PROC
#define AGENT_SUN
#define AGENT_UCB
#define mlock(addr, len) memcntl((char *)(addr), len, MC_LOCK, 0, 0, 0)
#define munlock(addr, len) memcntl((char *)(addr), len, MC_UNLOCK, 0, 0, 0)
#define mlockall(flags) memcntl(0, 0, MC_LOCKAS, (char *)(long)(flags), 0, 0)
#define munlockall() memcntl(0, 0, MC_UNLOCKAS, 0, 0, 0)
#define msync(addr, len, flags) memcntl((char *)(addr), len, MC_SYNC, (char *)(long)(flags), 0, 0)

/* Whoever is not user 0 lacks the right to lock. */
int seteuid(uid_t uid) {
    standin_set("privileged", uid == 0);
    return 0;
}

#include "remote-agent.c"
