// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.backend.linux.proc.KernelText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

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

    /** What this system allows now; unlimited where it does not report it. Source: vm.max_map_count, proc_sys_vm(5) Linux. */
    static MappingBudget system() {
        return read(Paths.get("/proc"));
    }

    static MappingBudget read(Path proc) {
        try {
            OptionalLong maximum = KernelText.number(firstLine(proc.resolve("sys/vm/max_map_count")));
            long used = lines(proc.resolve("self/maps"));
            if (maximum.isPresent()) {
                return new MappingBudget(maximum.getAsLong(), Math.max(0, maximum.getAsLong() - used - RESERVE));
            }
        } catch (IOException e) {
            // As on other systems.
        }
        return new MappingBudget(Long.MAX_VALUE, Long.MAX_VALUE);
    }

    // Not Files.readAllBytes: that begins with one byte where the size says 0, and a sysctl gives no more after the
    // first.
    private static String firstLine(Path path) throws IOException {
        try (KernelText text = new KernelText(Files.newInputStream(path))) {
            return text.next() && !text.bad() ? text.rest() : "";
        }
    }

    private static long lines(Path path) throws IOException {
        try (KernelText text = new KernelText(Files.newInputStream(path))) {
            long lines = 0;
            while (text.next()) {
                lines++;
            }
            return lines;
        }
    }

    long available() {
        return available;
    }

    Failure exceeded(String what, long needed) {
        List<String> remedies = Arrays.asList(
                "sysctl vm.max_map_count=" + (maximum < Long.MAX_VALUE ? needed + (maximum - available) : needed)
                        + " (as root)",
                "Hold fewer or larger files");
        return new Failure(
                "TOO_MANY_MAPPINGS",
                what + ": too many mappings: " + needed + " needed, " + available + " left of vm.max_map_count "
                        + maximum,
                remedies,
                null);
    }
}
