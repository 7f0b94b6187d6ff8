// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.LockPolicy;
import io.pagelock.LockReport;
import io.pagelock.LockReport.NotLocked;
import io.pagelock.MemoryLock;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.Backend;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalLong;

/** Compares what handles stand for with what the system counts. */
final class Reporting {
    private static final String LOST = "the pages could not be locked again when an address-space lock ended";

    private final Backend backend;
    private final RangeLocks ranges;
    private final Map<Reason, NotLocked> byReason = new EnumMap<>(Reason.class);

    Reporting(Backend backend, RangeLocks ranges) {
        this.backend = backend;
        this.ranges = ranges;
    }

    /**
     * Makes a report.
     *
     * @param without the handles that never had a lock
     */
    LockReport report(LockPolicy policy, Collection<MemoryLock> without) {
        without.forEach(this::add);
        LockTable table = ranges.table();
        synchronized (table) {
            table.holds.lost().forEach(this::addLost);
        }
        Tristate confirmed = Tristate.UNKNOWN;
        long held = 0;
        OptionalLong counted = OptionalLong.empty();
        // What locks or closes in between is in one number and not in the other, seldom three times in a row.
        for (int tries = 0; tries < 3 && confirmed != Tristate.YES; tries++) {
            long before = ranges.heldBytes();
            counted = backend.limits().lockedBytes();
            held = Math.min(before, ranges.heldBytes());
            confirmed = counted.isPresent() ? Tristate.of(counted.getAsLong() >= held) : Tristate.UNKNOWN;
            confirmed = held == 0 ? Tristate.YES : confirmed;
        }
        return new LockReport(policy, held, counted, confirmed, new ArrayList<>(byReason.values()));
    }

    private void add(MemoryLock handle) {
        PageLockException why = handle.failure().get();
        long bytes = handle instanceof Handle ? ((Handle) handle).hold().bytes() : 0;
        add(new NotLocked(why.reason(), 1, bytes, why.getMessage(), why.remedies()));
    }

    private void addLost(long bytes) {
        add(new NotLocked(
                Reason.UNKNOWN,
                1,
                bytes,
                LOST,
                Collections.singletonList("Close the handle and lock the memory again")));
    }

    private void add(NotLocked one) {
        byReason.merge(
                one.reason(),
                one,
                (all, more) -> new NotLocked(
                        all.reason(),
                        all.handles() + more.handles(),
                        all.bytes() + more.bytes(),
                        all.message(),
                        all.remedies()));
    }
}
