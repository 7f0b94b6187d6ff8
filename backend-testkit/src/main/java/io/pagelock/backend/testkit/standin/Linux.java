// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import io.pagelock.backend.testkit.ProcWitness;

/** What the Linux underneath says of this process. */
final class Linux {
    private static final int CAP_IPC_LOCK = 14;

    private Linux() {}

    /** How much this process may lock in all, in bytes; Long.MAX_VALUE if nothing binds it. */
    static long roomToLock() {
        if ((Long.parseUnsignedLong(ProcWitness.status("CapEff"), 16) >>> CAP_IPC_LOCK & 1) != 0) {
            return Long.MAX_VALUE;
        }
        for (String line : ProcWitness.lines("/proc/self/limits")) {
            if (line.startsWith("Max locked memory")) {
                String soft =
                        line.substring("Max locked memory".length()).trim().split("\\s+")[0];
                return soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
            }
        }
        throw new AssertionError("no limit of locked memory in /proc/self/limits");
    }
}
