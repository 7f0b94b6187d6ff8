// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
import io.pagelock.spi.MappingBudget;
import java.util.OptionalLong;

/**
 * Keeps some of the mappings that a process may have for others: at the limit, a JVM cannot start threads or grow its heap, and
 * aborts. The {@link LockTable} counts what locks may have added since the mappings were counted last, so that they need not be
 * counted again before that may matter.
 */
final class MappingReserve {
    private static final long MOST_RESERVED = 2048;
    /** Others map memory, too, so no more than this share of what is free is given out before it is looked at again. */
    private static final int SHARE = 4;

    private static final long LEAST_GIVEN = 64;

    private final Backend backend;
    /** Null if the system has no limit, or one that it keeps to itself. */
    private final MappingBudget budget;

    private volatile long most;
    private volatile long used;

    MappingReserve(Backend backend) {
        this.backend = backend;
        budget = backend.ability(MappingBudget.class).orElse(null);
    }

    /** Counts the mappings, and lets the table give out some of those that are free. */
    void count(LockTable table) {
        long room = room();
        synchronized (table) {
            table.mappings.set(room);
        }
    }

    private long room() {
        if (budget == null) {
            return Long.MAX_VALUE;
        }
        OptionalLong limit = budget.mostMappings();
        OptionalLong count = budget.mappings();
        if (!limit.isPresent() || !count.isPresent()) {
            return Long.MAX_VALUE;
        }
        most = limit.getAsLong();
        used = count.getAsLong();
        long free = Math.max(0, most - used - reserved());
        return Math.max(free / SHARE, Math.min(free, LEAST_GIVEN));
    }

    private long reserved() {
        return Math.min(MOST_RESERVED, most / SHARE);
    }

    /** Takes the mappings for a lock where others hold pages, and other memory is mapped by now: it is not locked. */
    void takeForStale(LockTable table, Call call) {
        if (!table.mappings.takeToLock(call.stale)) {
            count(table);
            if (!table.mappings.takeToLock(call.stale)) {
                throw refusal(call);
            }
        }
    }

    PageLockException refusal(Call call) {
        long bytes = 0;
        for (int i = 0; i < call.count(); i++) {
            bytes += call.span(i).end - call.span(i).start;
        }
        Span first = call.span(0);
        return PageLockException.because(Reason.TOO_MANY_MAPPINGS)
                .detail("the process has " + used + " of at most " + most + " mappings, and pagelock keeps "
                        + reserved()
                        + " free, since a JVM without any aborts; a locked range between unlocked ones takes two more")
                .range(MemoryRange.of(first.start, first.end - first.start))
                .remedies(backend.remedies(Reason.TOO_MANY_MAPPINGS, bytes))
                .build();
    }
}
