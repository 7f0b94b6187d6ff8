// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.MappingBudget;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Keeps guards from using up the mappings of the process: each may take two, and a JVM without any aborts. The engine keeps the same
 * reserve from locks.
 */
final class GuardRoom {
    private static final long RESERVED = 2048;
    /** Others take mappings, too, so no more than this share of what is free is given out before it is counted again. */
    private static final int SHARE = 4;

    private static final int EACH = 2;

    private final MappingBudget budget;
    private final Supplier<List<String>> remedies;
    private long room;

    GuardRoom(MappingBudget budget, Supplier<List<String>> remedies) {
        this.budget = budget;
        this.remedies = remedies;
    }

    /**
     * Takes the mappings for one guard.
     *
     * @throws PageLockException with {@link Reason#TOO_MANY_MAPPINGS} if only the reserve is left
     */
    synchronized void take() {
        if (room < EACH) {
            count();
        }
        room -= EACH;
    }

    private void count() {
        OptionalLong most = budget.mostMappings();
        OptionalLong used = budget.mappings();
        if (!most.isPresent() || !used.isPresent()) {
            room = Long.MAX_VALUE;
            return;
        }
        long reserved = Math.min(RESERVED, most.getAsLong() / SHARE);
        long free = most.getAsLong() - used.getAsLong() - reserved;
        if (free < EACH) {
            throw PageLockException.because(Reason.TOO_MANY_MAPPINGS)
                    .action("guard memory")
                    .detail("the process has " + used.getAsLong() + " of at most " + most.getAsLong()
                            + " mappings, and pagelock keeps " + reserved
                            + " free, since a JVM without any aborts; a guard takes up to two more")
                    .remedies(remedies.get())
                    .build();
        }
        room = Math.max(EACH, free / SHARE);
    }
}
