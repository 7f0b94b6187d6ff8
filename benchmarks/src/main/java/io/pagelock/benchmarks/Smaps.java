// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel says of a range: proc_pid_smaps(5). */
final class Smaps {
    long resident;
    long locked;

    private Smaps() {}

    /** Adds up the mappings that lie within the range. */
    static Smaps of(long address, long bytes) throws IOException {
        Smaps sum = new Smaps();
        boolean inside = false;
        for (String line :
                Files.readAllLines(Path.of("/proc/self/smaps"), java.nio.charset.StandardCharsets.ISO_8859_1)) {
            if (Character.isLowerCase(line.charAt(0)) || Character.isDigit(line.charAt(0))) {
                long start = Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16);
                long end = Long.parseUnsignedLong(line.substring(line.indexOf('-') + 1, line.indexOf(' ')), 16);
                inside = start >= address && end <= address + bytes && start < end;
            } else if (inside && line.startsWith("Rss:")) {
                sum.resident += bytes(line);
            } else if (inside && line.startsWith("Locked:")) {
                sum.locked += bytes(line);
            }
        }
        return sum;
    }

    private static long bytes(String line) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
    }
}
