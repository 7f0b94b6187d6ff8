// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What a {@link PageLocker} has done and holds. Immutable. While other threads lock and close, the figures are taken shortly
 * one after the other.
 */
public final class Statistics {
    private final long openHandles;
    private final long lockedBytes;
    private final long lockedPages;
    private final OptionalLong systemLockedBytes;
    private final long leakedHandles;
    private final long longestLockNanos;
    private final long strayBytes;
    private final Map<Reason, Long> failures;

    /**
     * Makes a snapshot; for implementations of {@link PageLocker}.
     *
     * @param openHandles handles that are open
     * @param lockedBytes bytes under them
     * @param lockedPages pages under them
     * @param systemLockedBytes bytes that the system counts as locked
     * @param leakedHandles handles that were collected without being closed
     * @param longestLockNanos the longest time a lock took
     * @param strayBytes bytes that no handle covers and the system refused to unlock
     * @param failures failures by reason
     */
    public Statistics(
            long openHandles,
            long lockedBytes,
            long lockedPages,
            OptionalLong systemLockedBytes,
            long leakedHandles,
            long longestLockNanos,
            long strayBytes,
            Map<Reason, Long> failures) {
        this.openHandles = openHandles;
        this.lockedBytes = lockedBytes;
        this.lockedPages = lockedPages;
        this.systemLockedBytes = systemLockedBytes;
        this.leakedHandles = leakedHandles;
        this.longestLockNanos = longestLockNanos;
        this.strayBytes = strayBytes;
        Map<Reason, Long> copy = new EnumMap<>(Reason.class);
        copy.putAll(failures);
        this.failures = Collections.unmodifiableMap(copy);
    }

    /**
     * The number of {@link PageLock} handles that are open or being locked just now.
     *
     * @return handles
     */
    public long openHandles() {
        return openHandles;
    }

    /**
     * The pages under these handles, each page once however many handles cover it.
     *
     * @return bytes, a multiple of the page size
     */
    public long lockedBytes() {
        return lockedBytes;
    }

    /**
     * {@link #lockedBytes()} in pages of {@link PageLocker#pageSize()}.
     *
     * @return pages
     */
    public long lockedPages() {
        return lockedPages;
    }

    /**
     * What the system counts as locked by this process, through this library or not.
     *
     * @return bytes; empty without {@link Capability#LOCKED_BYTES}
     */
    public OptionalLong systemLockedBytes() {
        return systemLockedBytes;
    }

    /**
     * The number of handles that became unreachable without being closed.
     *
     * @return handles since the start
     */
    public long leakedHandles() {
        return leakedHandles;
    }

    /**
     * The longest time that one lock of a range took, failed ones included, with the wait for another lock of the same pages
     * unless it was asynchronous.
     *
     * @return nanoseconds
     */
    public long longestLockNanos() {
        return longestLockNanos;
    }

    /**
     * Pages that no handle covers and that may still be locked: the system refused to unlock them after a failed lock or a
     * leak, or an {@link AddressSpaceLock} holds them for now. They are tried again when a handle closes.
     *
     * @return bytes, normally 0
     */
    public long strayBytes() {
        return strayBytes;
    }

    /**
     * How often an operation failed, by reason.
     *
     * @return an unmodifiable map without zero entries
     */
    public Map<Reason, Long> failures() {
        return failures;
    }

    @Override
    public String toString() {
        return openHandles + " handles, " + lockedBytes + " bytes locked, " + leakedHandles + " leaked, failures "
                + failures;
    }
}
