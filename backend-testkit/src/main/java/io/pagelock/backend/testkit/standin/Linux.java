// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.List;

/** What the Linux underneath says of this process. */
final class Linux {
    private static final int CAP_IPC_LOCK = 14;

    private Linux() {}

    /** A line of /proc/self/status, without its label. */
    static String status(String label) {
        for (String line : lines("/proc/self/status")) {
            if (line.startsWith(label)) {
                return line.substring(label.length()).trim();
            }
        }
        throw new AssertionError("no " + label + " in /proc/self/status");
    }

    /** How much this process may lock in all, in bytes; Long.MAX_VALUE if nothing binds it. */
    static long roomToLock() {
        if ((Long.parseUnsignedLong(status("CapEff:"), 16) >>> CAP_IPC_LOCK & 1) != 0) {
            return Long.MAX_VALUE;
        }
        for (String line : lines("/proc/self/limits")) {
            if (line.startsWith("Max locked memory")) {
                String soft =
                        line.substring("Max locked memory".length()).trim().split("\\s+")[0];
                return soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
            }
        }
        throw new AssertionError("no limit of locked memory in /proc/self/limits");
    }

    static List<String> lines(String file) {
        try {
            return Files.readAllLines(Paths.get(file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
