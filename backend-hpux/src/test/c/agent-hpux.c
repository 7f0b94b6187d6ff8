/* SPDX-License-Identifier: Apache-2.0 */
/* A remote-agent whose kernel is the stand-in. */
#include "hpux.c"

#define AGENT_STANDIN "HP-UX"
#define AGENT_RELEASE "B.11.31"
#define AGENT_MACHINE64 "ia64"
#define AGENT_MACHINE32 "ia64"
#define AGENT_STANDIN_MEMORY
#define AGENT_HPUX

/* Whoever is not user 0 lacks the right to lock. */
int seteuid(uid_t uid) {
    standin_set("privileged", uid == 0);
    return 0;
}

#include "remote-agent.c"
