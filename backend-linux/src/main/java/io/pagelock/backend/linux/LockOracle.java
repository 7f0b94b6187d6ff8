// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.linux.proc.Mapping;

/**
 * Asks the kernel itself whether a mapping is locked. msync with MS_ASYNC and MS_INVALIDATE fails with EBUSY exactly if a
 * mapping in the range is flagged VM_LOCKED, and does nothing else since Linux 2.6.18: mm/msync.c. A quarter of a
 * microsecond, where reading smaps takes the time to walk every page of the process.
 */
final class LockOracle {
    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final int flags;

    LockOracle(LinuxCalls calls, LinuxConstants constants) {
        this.calls = calls;
        this.constants = constants;
        this.flags = constants.msAsync | constants.msInvalidate;
    }

    /** Whether any mapping in the range is locked; exact for a range within one mapping. */
    boolean anyLocked(long address, long length) {
        return calls.msync(address, length, flags) != 0 && constants.errno.is(calls.errno(), "EBUSY");
    }

    /**
     * Whether nothing in the range is locked and all of it is mapped. Cheaper than {@link #anyLocked}, since errno need not
     * be read.
     */
    boolean allMappedAndNoneLocked(long address, long length) {
        return calls.msync(address, length, flags) == 0;
    }

    boolean locked(Mapping part) {
        return anyLocked(part.start, part.length());
    }
}
