// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import io.pagelock.backend.testkit.ProcWitness;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/** What the kernel says of this process, read by tests for themselves. */
final class Kernel {
    private Kernel() {}

    /** The VmFlags of the mapping at an address; empty if nothing is mapped there. */
    static List<String> flags(long address) {
        return ProcWitness.smaps(address, "VmFlags")
                .map(flags -> Arrays.asList(flags.trim().split(" ")))
                .orElse(List.of());
    }

    static boolean isLocked(long address) {
        return flags(address).contains("lo");
    }

    static boolean isLocked(MemorySegment segment) {
        return isLocked(segment.address()) && isLocked(segment.address() + segment.byteSize() - 1);
    }
}
