// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.spi.Privileged;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
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

    /** What this system allows now; unlimited where it does not report it. Source: vm.max_map_count, proc_sys_vm(5) Linux. */
    static MappingBudget system() {
        return read(Paths.get("/proc"));
    }

    static MappingBudget read(Path proc) {
        try {
            long maximum = Long.parseLong(Privileged.read(() -> firstLine(proc.resolve("sys/vm/max_map_count"))));
            long used = Privileged.read(() -> lines(proc.resolve("self/maps")));
            return new MappingBudget(maximum, Math.max(0, maximum - used - RESERVE));
        } catch (IOException | NumberFormatException e) {
            // As on other systems.
        }
        return new MappingBudget(Long.MAX_VALUE, Long.MAX_VALUE);
    }

    // Not Files.readAllBytes: that begins with one byte where the size says 0, and a sysctl gives no more after the
    // first. Nor the reader of the Linux backend: doctor also runs where no backend is found.
    private static String firstLine(Path path) throws IOException {
        try (BufferedReader text = Files.newBufferedReader(path, StandardCharsets.ISO_8859_1)) {
            String line = text.readLine();
            return line == null ? "" : line;
        }
    }

    // Only a line feed ends a mapping; the kernel escapes those in names, but not carriage returns.
    private static long lines(Path path) throws IOException {
        try (InputStream text = Files.newInputStream(path)) {
            byte[] some = new byte[1 << 14];
            long lines = 0;
            for (int length = text.read(some); length >= 0; length = text.read(some)) {
                for (int i = 0; i < length; i++) {
                    lines += some[i] == '\n' ? 1 : 0;
                }
            }
            return lines;
        }
    }

    long available() {
        return available;
    }

    FileLockException exceeded(Path path, String what, long needed) {
        return new FileLockException(
                FileLockException.TOO_MANY_MAPPINGS,
                path,
                what + ": too many mappings: " + needed + " needed, " + available + " left of vm.max_map_count "
                        + maximum,
                null,
                "sysctl vm.max_map_count=" + (maximum < Long.MAX_VALUE ? needed + (maximum - available) : needed)
                        + " (as root)",
                "Hold fewer or larger files");
    }
}
