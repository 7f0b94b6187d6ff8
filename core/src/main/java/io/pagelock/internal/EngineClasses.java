// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

/**
 * The classes that an engine takes as soon as its backend is open. Whoever waits for that loads them meanwhile, which makes the first
 * lock of a JVM a few milliseconds faster where there are two processors.
 */
final class EngineClasses {
    private EngineClasses() {}

    /**
     * Loads them, and initializes none: threads that initialize classes at the same time may wait for each other.
     *
     * @return how many there are; 0 if one cannot be loaded, which the opening of the backend finds out, too, and explains
     */
    static int load() {
        try {
            Class<?>[] all = {
                Engine.class,
                FlightEvents.class,
                FlightEvents.Kind.class,
                Leaks.class,
                Leaks.Level.class,
                Arguments.class,
                Abilities.class,
                RangeLocks.class,
                LockTable.class,
                IntervalCounts.class,
                IntervalNode.class,
                Spans.class,
                Listing.class,
                TurnQueue.class,
                OpenHolds.class,
                MappingRoom.class,
                Sweep.class,
                RangeCalls.class,
                Steps.class,
                Forecasts.class,
                MappingReserve.class,
                AddressSpace.class,
                Renewal.class,
                Reaper.class,
                AsyncLocks.class,
                Crew.class,
                MemoryScopes.class,
                Handle.class,
                Hold.class,
                Progress.class
            };
            return all.length;
        } catch (RuntimeException | Error e) {
            return 0;
        }
    }
}
