// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.MemoryRange;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.spi.RangeSet;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Unlocks everything but some ranges, mapping by mapping. */
final class UnlockAround {
    /**
     * Mappings may change while they are gone through; then they are read again, so often at most. What comes after that
     * unlocks what should stay locked, so it must not be reached because other threads are busy.
     */
    private static final int PASSES = 16;

    private final LinuxCalls calls;
    private final ProcSelf proc;
    private final LockOracle oracle;

    UnlockAround(LinuxCalls calls, ProcSelf proc, LockOracle oracle) {
        this.calls = calls;
        this.proc = proc;
        this.oracle = oracle;
    }

    /** Returns whether nothing but the ranges is locked now, for certain. */
    boolean unlock(List<MemoryRange> keep) {
        RangeSet.Builder kept = RangeSet.builder();
        keep.forEach(kept::add);
        for (int pass = 0; pass < PASSES; pass++) {
            // First with the fewest calls; but one mapping that changes meanwhile spoils a call for the others.
            if (unlock(kept.build(), pass == 0)) {
                return true;
            }
        }
        return false;
    }

    private boolean unlock(RangeSet keep, boolean joined) {
        Optional<List<Mapping>> mappings = proc.mappings();
        if (!mappings.isPresent()) {
            return false;
        }
        if (joined) {
            return unlockBut(keep, mappings.get());
        }
        boolean done = true;
        for (Mapping each : mappings.get()) {
            done &= unlockBut(keep, Collections.singletonList(each));
        }
        return done;
    }

    private boolean unlockBut(RangeSet keep, List<Mapping> mappings) {
        RangeSet parts = Mapping.rangeSet(mappings).subtract(keep);
        boolean done = true;
        for (int i = 0; i < parts.size(); i++) {
            long length = parts.end(i) - parts.start(i);
            // A call that failed has unlocked nothing, as far as anybody can say.
            done &= calls.munlock(parts.start(i), length) == 0 || oracle.locked(parts.start(i), length) == Tristate.NO;
        }
        return done;
    }
}
