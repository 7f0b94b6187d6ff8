// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.MemoryRange;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import java.util.ArrayList;
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
        for (int pass = 0; pass < PASSES; pass++) {
            // First with the fewest calls; but one mapping that changes meanwhile spoils a call for the others.
            if (unlock(keep, pass == 0)) {
                return true;
            }
        }
        return false;
    }

    private boolean unlock(List<MemoryRange> keep, boolean joined) {
        Optional<List<Mapping>> mappings = proc.mappings();
        if (!mappings.isPresent()) {
            return false;
        }
        boolean done = true;
        for (Span part : outside(joined ? Span.join(mappings.get()) : Span.each(mappings.get()), keep)) {
            // A call that failed has unlocked nothing, as far as anybody can say.
            if (calls.munlock(part.start, part.length) != 0 && oracle.locked(part.start, part.length) != Tristate.NO) {
                done = false;
            }
        }
        return done;
    }

    private static List<Span> outside(List<Span> parts, List<MemoryRange> keep) {
        List<Span> outside = new ArrayList<>();
        for (Span part : parts) {
            long at = part.start;
            long end = part.start + part.length;
            for (MemoryRange kept : keep) {
                if (Long.compareUnsigned(kept.end(), at) <= 0 || Long.compareUnsigned(kept.address(), end) >= 0) {
                    continue;
                }
                if (Long.compareUnsigned(kept.address(), at) > 0) {
                    outside.add(new Span(at, kept.address() - at));
                }
                at = kept.end();
            }
            if (Long.compareUnsigned(at, end) < 0) {
                outside.add(new Span(at, end - at));
            }
        }
        return outside;
    }
}
