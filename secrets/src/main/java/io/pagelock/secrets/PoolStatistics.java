// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import java.util.Objects;
import java.util.OptionalLong;

/** Holds the figures of a {@link SecretPool}, taken at one moment. Immutable. */
public final class PoolStatistics {
    private final long openSecrets;
    private final long bytes;
    private final long budget;
    private final long highWaterBytes;
    private final long lostSecrets;

    PoolStatistics(long openSecrets, long bytes, long budget, long highWaterBytes, long lostSecrets) {
        this.openSecrets = openSecrets;
        this.bytes = bytes;
        this.budget = budget;
        this.highWaterBytes = highWaterBytes;
        this.lostSecrets = lostSecrets;
    }

    /**
     * Returns how many secrets are open.
     *
     * @return a number, 0 or more
     */
    public long openSecrets() {
        return openSecrets;
    }

    /**
     * Returns the size of the pool's pages, which count against the budget and, if they are locked, against the limit
     * of the system. Guard pages are not included.
     *
     * @return bytes
     */
    public long bytes() {
        return bytes;
    }

    /**
     * Returns the largest value that {@link #bytes} may reach.
     *
     * @return bytes; empty if the pool has no budget
     */
    public OptionalLong budget() {
        return budget == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(budget);
    }

    /**
     * Returns the largest value that {@link #bytes} has had.
     *
     * @return bytes
     */
    public long highWaterBytes() {
        return highWaterBytes;
    }

    /**
     * Returns how many secrets were garbage-collected without a close. They are wiped, and each is a mistake in the
     * program.
     *
     * @return a number, 0 or more
     */
    public long lostSecrets() {
        return lostSecrets;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PoolStatistics && toString().equals(other.toString());
    }

    @Override
    public int hashCode() {
        return Objects.hash(openSecrets, bytes, budget, highWaterBytes, lostSecrets);
    }

    @Override
    public String toString() {
        return openSecrets + " open secrets in " + bytes + " bytes (budget "
                + (budget == Long.MAX_VALUE ? "unlimited" : budget + " bytes") + ", high-water mark " + highWaterBytes
                + " bytes), " + lostSecrets + " lost";
    }
}
