// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/**
 * How many mappings this process may still make. Looked up beforehand, because a JVM that really reaches the limit can no
 * longer create threads or load libraries, and may die of it.
 */
final class MappingBudget {
    // For the JVM: thread stacks, libraries, and the splitting of a mapping while a part of it is being locked.
    private static final long RESERVE = 1024;

    private final long maximum;
    private final long available;

    MappingBudget(long maximum, long available) {
        this.maximum = maximum;
        this.available = available;
    }

    /** What this system allows now; without end where it does not tell. Source: vm.max_map_count, proc_sys_vm(5) Linux. */
    static MappingBudget system() {
        return read(Paths.get("/proc"));
    }

    static MappingBudget read(Path proc) {
        try {
            byte[] text = Files.readAllBytes(proc.resolve("sys/vm/max_map_count"));
            long maximum = Long.parseLong(new String(text, StandardCharsets.US_ASCII).trim());
            long used = lines(Files.readAllBytes(proc.resolve("self/maps")));
            return new MappingBudget(maximum, Math.max(0, maximum - used - RESERVE));
        } catch (IOException | NumberFormatException e) {
            return new MappingBudget(Long.MAX_VALUE, Long.MAX_VALUE);
        }
    }

    private static long lines(byte[] text) {
        long lines = 0;
        for (byte each : text) {
            if (each == '\n') {
                lines++;
            }
        }
        return lines;
    }

    long available() {
        return available;
    }

    Failure exceeded(String what, long needed) {
        String remedy = "Lock fewer or larger files, or raise it with: sysctl vm.max_map_count="
                + (maximum < Long.MAX_VALUE ? needed + (maximum - available) : needed);
        return new Failure(
                "TOO_MANY_MAPPINGS",
                what + ": too many mappings: " + needed + " needed, " + available + " left of vm.max_map_count "
                        + maximum + ". " + remedy,
                remedy,
                null);
    }
}
