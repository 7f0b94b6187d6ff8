// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Reports what a {@link PageLocker} has done and holds. Immutable. The values are read one after another and are not mutually
 * consistent while other threads lock or unlock.
 */
public final class Statistics {
    private final long openHandles;
    private final long lockedBytes;
    private final long lockedPages;
    private final OptionalLong systemLockedBytes;
    private final long leakedHandles;
    private final long longestLockNanos;
    private final long leftoverBytes;
    private final Map<Reason, Long> failures;

    private Statistics(Builder from) {
        openHandles = from.openHandles;
        lockedBytes = from.lockedBytes;
        lockedPages = from.lockedPages;
        systemLockedBytes = from.systemLockedBytes;
        leakedHandles = from.leakedHandles;
        longestLockNanos = from.longestLockNanos;
        leftoverBytes = from.leftoverBytes;
        failures = Collections.unmodifiableMap(new EnumMap<>(from.failures));
    }

    /**
     * Starts a snapshot; for tests and for implementations of {@link PageLocker}.
     *
     * @return a builder in which nothing happened yet
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the number of open {@link PageLock} handles, including those whose lock is in progress.
     *
     * @return handles
     */
    public long openHandles() {
        return openHandles;
    }

    /**
     * Returns how many bytes these handles cover, each page once however many handles cover it.
     *
     * @return bytes, a multiple of the page size
     */
    public long lockedBytes() {
        return lockedBytes;
    }

    /**
     * Returns {@link #lockedBytes()} in pages of {@link PageLocker#pageSize()}.
     *
     * @return pages
     */
    public long lockedPages() {
        return lockedPages;
    }

    /**
     * Returns what the system counts as locked by this process, through this library or not.
     *
     * @return bytes; empty without {@link Capability#LOCKED_BYTES}
     */
    public OptionalLong systemLockedBytes() {
        return systemLockedBytes;
    }

    /**
     * Returns the number of handles that became unreachable without being closed.
     *
     * @return handles since the start
     */
    public long leakedHandles() {
        return leakedHandles;
    }

    /**
     * Returns the longest time that one lock of a range took, including failed locks, and including the wait for other
     * locks of the same pages unless the lock was asynchronous.
     *
     * @return nanoseconds
     */
    public long longestLockNanos() {
        return longestLockNanos;
    }

    /**
     * Returns how many bytes may still be locked although no handle covers them: the system refused to unlock them
     * after a failed lock or a leak, or an {@link AddressSpaceLock} holds them for now. The library tries again to
     * unlock them when a handle closes.
     *
     * @return bytes, normally 0
     */
    public long leftoverBytes() {
        return leftoverBytes;
    }

    /**
     * Returns how often an operation failed, by reason.
     *
     * @return an unmodifiable map without zero entries
     */
    public Map<Reason, Long> failures() {
        return failures;
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
     *
     * @return a new map, in which a count that the system does not report is null
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("openHandles", openHandles);
        map.put("lockedBytes", lockedBytes);
        map.put("lockedPages", lockedPages);
        map.put("systemLockedBytes", systemLockedBytes.isPresent() ? systemLockedBytes.getAsLong() : null);
        map.put("leakedHandles", leakedHandles);
        map.put("longestLockNanos", longestLockNanos);
        map.put("leftoverBytes", leftoverBytes);
        Map<String, Long> byName = new LinkedHashMap<>();
        failures.forEach((reason, count) -> byName.put(reason.name(), count));
        map.put("failures", byName);
        return map;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Statistics)) {
            return false;
        }
        Statistics that = (Statistics) other;
        return openHandles == that.openHandles
                && lockedBytes == that.lockedBytes
                && lockedPages == that.lockedPages
                && systemLockedBytes.equals(that.systemLockedBytes)
                && leakedHandles == that.leakedHandles
                && longestLockNanos == that.longestLockNanos
                && leftoverBytes == that.leftoverBytes
                && failures.equals(that.failures);
    }

    @Override
    public int hashCode() {
        return Objects.hash(
                openHandles,
                lockedBytes,
                lockedPages,
                systemLockedBytes,
                leakedHandles,
                longestLockNanos,
                leftoverBytes,
                failures);
    }

    @Override
    public String toString() {
        return openHandles + " handles, " + lockedBytes + " bytes locked, " + leakedHandles + " leaked, failures "
                + failures;
    }

    /** Collects the values of a snapshot. Not safe for several threads. */
    public static final class Builder {
        private long openHandles;
        private long lockedBytes;
        private long lockedPages;
        private OptionalLong systemLockedBytes = OptionalLong.empty();
        private long leakedHandles;
        private long longestLockNanos;
        private long leftoverBytes;
        private final Map<Reason, Long> failures = new EnumMap<>(Reason.class);

        private Builder() {}

        /**
         * Sets {@link Statistics#openHandles()}.
         *
         * @param value handles that are open or being locked
         * @return this builder
         */
        public Builder openHandles(long value) {
            this.openHandles = value;
            return this;
        }

        /**
         * Sets {@link Statistics#lockedBytes()}.
         *
         * @param value bytes under these handles, each page once
         * @return this builder
         */
        public Builder lockedBytes(long value) {
            this.lockedBytes = value;
            return this;
        }

        /**
         * Sets {@link Statistics#lockedPages()}.
         *
         * @param value the same in pages
         * @return this builder
         */
        public Builder lockedPages(long value) {
            this.lockedPages = value;
            return this;
        }

        /**
         * Sets {@link Statistics#systemLockedBytes()}.
         *
         * @param value what the system counts as locked by this process; empty, if the system does not report it, unless set
         * @return this builder
         */
        public Builder systemLockedBytes(OptionalLong value) {
            this.systemLockedBytes = Objects.requireNonNull(value, "systemLockedBytes");
            return this;
        }

        /**
         * Sets {@link Statistics#leakedHandles()}.
         *
         * @param value handles that became unreachable without being closed
         * @return this builder
         */
        public Builder leakedHandles(long value) {
            this.leakedHandles = value;
            return this;
        }

        /**
         * Sets {@link Statistics#longestLockNanos()}.
         *
         * @param value the longest time that one lock of a range took, in nanoseconds
         * @return this builder
         */
        public Builder longestLockNanos(long value) {
            this.longestLockNanos = value;
            return this;
        }

        /**
         * Sets {@link Statistics#leftoverBytes()}.
         *
         * @param value bytes that no handle covers and that may still be locked
         * @return this builder
         */
        public Builder leftoverBytes(long value) {
            this.leftoverBytes = value;
            return this;
        }

        /**
         * Adds to {@link Statistics#failures()}.
         *
         * @param reason why an operation failed
         * @param count how often; 0 adds nothing
         * @return this builder
         */
        public Builder failures(Reason reason, long count) {
            if (count != 0) {
                failures.merge(reason, count, Long::sum);
            }
            return this;
        }

        /**
         * Makes the snapshot.
         *
         * @return the snapshot
         */
        public Statistics build() {
            return new Statistics(this);
        }
    }
}
