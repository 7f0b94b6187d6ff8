/* SPDX-License-Identifier: Apache-2.0 */
/* No system's functions: only what the harness itself asks an agent, and how bytes are turned. */
#include "remote.h"

void turn(unsigned char *at, int length, const char *units) {
    remote_turn(at, (uint32_t)length, units);
}
