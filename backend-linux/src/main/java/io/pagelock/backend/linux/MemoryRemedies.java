// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.util.ArrayList;
import java.util.List;

/**
 * The settings that give a control group more memory: cgroups(7), systemd.resource-control(5), docker-run(1), and the
 * documentation of Kubernetes on managing resources for containers.
 */
final class MemoryRemedies {
    private static final long MIB = 1 << 20;

    private MemoryRemedies() {}

    /**
     * Returns remedies, one setting each, the most likely first.
     *
     * @param tight the limits that have too little room
     * @param charge how many bytes are to be locked on top of what is in use
     */
    static List<String> of(List<MemoryUse> tight, long charge) {
        List<String> remedies = new ArrayList<>();
        long most = 0;
        String commands = "";
        boolean container = false;
        for (MemoryUse each : tight) {
            if (each.file.isEmpty() || !each.limit.isKnown()) {
                continue;
            }
            long bytes = enough(each, charge);
            most = Math.max(most, bytes);
            commands += (commands.isEmpty() ? "" : "; ") + command(each, bytes);
            container |= each.name.endsWith(" /");
        }
        if (most > 0) {
            String byHand = "Raise the memory limit of the control group: as root, '" + commands + "'";
            if (!container) {
                remedies.add(byHand);
            }
            remedies.add("For a container, give it more memory: docker run --memory=" + most
                    + " (also -m; for a running one, docker update --memory=" + most + " --memory-swap=" + most + ")");
            remedies.add("In Kubernetes, set resources.limits.memory of the container to " + mebibytes(most) + "Mi");
            remedies.add("For a systemd service, set MemoryMax=" + most);
            if (container) {
                remedies.add(byHand);
            }
        } else {
            remedies.add("Free memory: end other programs, or give the machine more");
        }
        remedies.add("Lock less, or on fault, so that only touched pages count");
        return remedies;
    }

    /** With a little on top, since the process itself goes on; whole MiB. */
    private static long enough(MemoryUse use, long charge) {
        long bytes = use.kept + MemoryGuard.withTables(charge) + charge / 16 + 8 * MIB;
        return bytes < 0 ? Long.MAX_VALUE & -MIB : (bytes + MIB - 1) & -MIB;
    }

    private static long mebibytes(long bytes) {
        return bytes / MIB;
    }

    /** Version 1 refuses a limit on memory above the one on memory and swap together. */
    private static String command(MemoryUse use, long bytes) {
        String both = use.file.replace("/memory.limit_in_bytes", "/memory.memsw.limit_in_bytes");
        String first = use.withSwap < bytes ? "echo " + bytes + " > " + both + "; " : "";
        return first + "echo " + bytes + " > " + use.file;
    }
}
