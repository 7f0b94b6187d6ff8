// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import java.util.List;
import java.util.Optional;

/**
 * Asks whether a mapping is locked. msync with MS_ASYNC and MS_INVALIDATE fails with EBUSY exactly if a mapping in the range
 * is flagged VM_LOCKED, and does nothing else since Linux 2.6.18: mm/msync.c. A quarter of a microsecond, where reading smaps
 * takes the time to walk every page of the process. Smaps is the second witness, where a filter refuses the call.
 */
final class LockOracle {
    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final ProcSelf proc;
    private final int flags;
    /** Not looked up by name for each lock. */
    private final int busy;

    private final String refusal;

    LockOracle(LinuxCalls calls, LinuxConstants constants, ProcSelf proc) {
        this.calls = calls;
        this.constants = constants;
        this.proc = proc;
        this.flags = constants.msAsync | constants.msInvalidate;
        this.busy = constants.errno.numbers().get("EBUSY");
        // Of no bytes, which succeeds wherever the call is let through.
        this.refusal = calls.msync(0, 0, flags) == 0 ? "" : constants.errno.name(calls.errno());
    }

    /** Returns the errno with which msync was refused when this backend was opened; empty if it was not. */
    String refusal() {
        return refusal == null ? "an unknown errno" : refusal;
    }

    /**
     * Asks msync whether any mapping in a range is locked; exact for a range within one mapping.
     *
     * @return unknown if the call fails for another reason, as under a seccomp filter
     */
    Tristate ask(long address, long length) {
        if (calls.msync(address, length, flags) == 0) {
            return Tristate.NO;
        }
        int errno = calls.errno();
        if (errno == busy) {
            return Tristate.YES;
        }
        // Something is not mapped, and what is, is not locked.
        return constants.errno.is(errno, "ENOMEM") ? Tristate.NO : Tristate.UNKNOWN;
    }

    /** Asks whether any mapping in a range is locked, both witnesses if needed. */
    Tristate locked(long address, long length) {
        Tristate answer = ask(address, length);
        return answer == Tristate.UNKNOWN ? bySmaps(address, address + length) : answer;
    }

    Tristate locked(Mapping part) {
        return locked(part.start, part.length());
    }

    private Tristate bySmaps(long from, long to) {
        Optional<List<Mapping>> mappings = proc.flagged(from, to);
        if (!mappings.isPresent()) {
            return Tristate.UNKNOWN;
        }
        boolean known = true;
        for (Mapping each : mappings.get()) {
            if (each.has("lo")) {
                return Tristate.YES;
            }
            known &= each.hasFlags();
        }
        return known ? Tristate.NO : Tristate.UNKNOWN;
    }
}
