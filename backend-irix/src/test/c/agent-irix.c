/* SPDX-License-Identifier: Apache-2.0 */
/* A remote-agent whose kernel is the stand-in. */
#include "irix.c"

#define AGENT_STANDIN "IRIX64"
#define AGENT_RELEASE "6.5"
#define AGENT_MACHINE64 "IP30"
#define AGENT_MACHINE32 "IP30"
#define AGENT_STANDIN_MEMORY
#define AGENT_IRIX
#include "remote-agent.c"
