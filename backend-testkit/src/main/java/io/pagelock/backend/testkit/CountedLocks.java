// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.KernelRules.Refusal;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.backend.testkit.PageMap.Segment;

/** Locks and unlocks ranges of a {@link FakeProcess} as {@link Trait#LOCKS_ARE_COUNTED} says. Guarded by the kernel. */
final class CountedLocks {
    private final FakeProcess process;
    private final KernelRules rules;

    CountedLocks(FakeProcess process, KernelRules rules) {
        this.process = process;
        this.rules = rules;
    }

    Errno lock(long start, long end) {
        Errno result = process.memory.at(start) == null ? rules.errno(Refusal.HOLE) : Errno.OK;
        long page = start;
        while (page < end && result == Errno.OK) {
            long next = process.memory.endOfMapping(page, end);
            if (process.memory.at(page).locks > 0) {
                process.memory.update(page, next, segment -> segment.locks(segment.locks + 1));
            } else {
                result = precedesHole(next, end) ? rules.errno(Refusal.HOLE) : lockFirst(page, next);
            }
            page = result == Errno.OK ? nextMapped(next, end) : page;
        }
        if (result != Errno.OK && page > start) {
            unlock(start, page);
        }
        return result;
    }

    private Errno lockFirst(long start, long end) {
        Errno limited = process.may.checkLimit(process.lockedPages() + end - start, 0, 0);
        Errno result = limited == Errno.OK ? process.bringIn(start, end) : limited;
        if (result == Errno.OK) {
            process.memory.update(start, end, segment -> segment.locks(1));
        }
        return result;
    }

    Errno unlock(long start, long end) {
        if (process.memory.at(start) == null) {
            return rules.errno(Refusal.HOLE);
        }
        long page = start;
        while (page < end) {
            Segment first = process.memory.at(page);
            long next = process.memory.endOfMapping(page, end);
            if (first.locks > 0 && !precedesHole(next, end)) {
                process.memory.update(page, next, segment -> segment.locks(segment.locks - 1));
            }
            page = nextMapped(next, end);
        }
        return Errno.OK;
    }

    private boolean precedesHole(long page, long end) {
        return page < end && process.memory.at(page) == null;
    }

    private long nextMapped(long page, long end) {
        return precedesHole(page, end) ? process.memory.nextStart(page, end) : page;
    }
}
