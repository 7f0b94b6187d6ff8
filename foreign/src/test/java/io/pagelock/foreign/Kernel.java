// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import io.pagelock.backend.testkit.ProcWitness;
import java.lang.foreign.MemorySegment;

/** What the kernel says of this process, read by tests for themselves. */
final class Kernel {
    private Kernel() {}

    static boolean isLocked(long address) {
        return ProcWitness.flags(address).contains("lo");
    }

    static boolean isLocked(MemorySegment segment) {
        return isLocked(segment.address()) && isLocked(segment.address() + segment.byteSize() - 1);
    }
}
