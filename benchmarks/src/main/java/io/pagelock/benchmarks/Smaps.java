// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.MappingReader;
import java.io.FileInputStream;
import java.io.IOException;

/** What the kernel says of a range: proc_pid_smaps(5). */
final class Smaps {
    long resident;
    long locked;

    private Smaps() {}

    /** Adds up the mappings that lie within the range. */
    static Smaps of(long address, long bytes) throws IOException {
        Smaps sum = new Smaps();
        try (MappingReader reader = new MappingReader(new FileInputStream("/proc/self/smaps"), true, address)) {
            for (Mapping each = reader.next(); each != null; each = reader.next()) {
                if (each.start >= address && each.end <= address + bytes) {
                    sum.resident += each.residentBytes().orElse(0);
                    sum.locked += each.lockedBytes().orElse(0);
                }
            }
        }
        return sum;
    }
}
