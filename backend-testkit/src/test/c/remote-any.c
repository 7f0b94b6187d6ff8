/* SPDX-License-Identifier: Apache-2.0 */
/* No system's functions: only what the harness itself asks an agent. */
#include "remote.h"
