// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reports how much of the memory of open handles is locked, and why the rest is not. Immutable.
 *
 * @see PageLocker#report()
 */
public final class LockReport {
    /** Describes the open handles that hold no lock for the same reason. */
    public static final class NotLocked {
        private final Reason reason;
        private final long handles;
        private final long bytes;
        private final String message;
        private final List<String> remedies;

        /**
         * Describes handles without a lock.
         *
         * @param reason why they have none
         * @param handles how many, 1 or more
         * @param bytes how much they were to lock, in whole pages, each handle by itself; 0 for the address space
         * @param message the first refusal, for people
         * @param remedies what to do about it, one setting a line
         */
        public NotLocked(Reason reason, long handles, long bytes, String message, List<String> remedies) {
            this.reason = Objects.requireNonNull(reason, "reason");
            this.handles = handles;
            this.bytes = bytes;
            this.message = Objects.requireNonNull(message, "message");
            this.remedies = Collections.unmodifiableList(new ArrayList<>(remedies));
        }

        /**
         * Returns why nothing is locked.
         *
         * @return the reason
         */
        public Reason reason() {
            return reason;
        }

        /**
         * Returns the number of handles.
         *
         * @return handles that are open, 1 or more
         */
        public long handles() {
            return handles;
        }

        /**
         * Returns how much they were to lock.
         *
         * @return bytes in whole pages, each handle by itself; the address space counts as 0
         */
        public long bytes() {
            return bytes;
        }

        /**
         * Returns the refusal of one of them.
         *
         * @return a message for people
         */
        public String message() {
            return message;
        }

        /**
         * Returns what to do about it.
         *
         * @return an unmodifiable list with one setting a line, the most likely first
         */
        public List<String> remedies() {
            return remedies;
        }

        /**
         * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
         *
         * @return a new map
         */
        @JsonValue
        public Map<String, Object> toMap() {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("reason", reason.name());
            map.put("handles", handles);
            map.put("bytes", bytes);
            map.put("message", message);
            map.put("remedies", remedies);
            return map;
        }

        @Override
        public boolean equals(Object other) {
            if (!(other instanceof NotLocked)) {
                return false;
            }
            NotLocked that = (NotLocked) other;
            return reason == that.reason
                    && handles == that.handles
                    && bytes == that.bytes
                    && message.equals(that.message)
                    && remedies.equals(that.remedies);
        }

        @Override
        public int hashCode() {
            return Objects.hash(reason, handles, bytes, message, remedies);
        }

        @Override
        public String toString() {
            return "not locked: " + handles + (handles == 1 ? " handle, " : " handles, ") + ByteSize.format(bytes)
                    + ": " + message;
        }
    }

    private final LockPolicy policy;
    private final long lockedBytes;
    private final OptionalLong systemLockedBytes;
    private final Tristate confirmed;
    private final List<NotLocked> notLocked;

    /**
     * Makes a report; for tests and for implementations of {@link PageLocker}.
     *
     * @param policy what was asked for
     * @param lockedBytes how much open handles hold, each page once
     * @param systemLockedBytes how much the system counts as locked by this process; empty if it does not report it
     * @param confirmed whether the system counts at least as much
     * @param notLocked what is not locked although a handle is open, one entry a reason
     */
    public LockReport(
            LockPolicy policy,
            long lockedBytes,
            OptionalLong systemLockedBytes,
            Tristate confirmed,
            List<NotLocked> notLocked) {
        this.policy = Objects.requireNonNull(policy, "policy");
        this.lockedBytes = lockedBytes;
        this.systemLockedBytes = Objects.requireNonNull(systemLockedBytes, "systemLockedBytes");
        this.confirmed = Objects.requireNonNull(confirmed, "confirmed");
        this.notLocked = Collections.unmodifiableList(new ArrayList<>(notLocked));
    }

    /**
     * Returns the policy of the locker.
     *
     * @return the policy
     */
    public LockPolicy policy() {
        return policy;
    }

    /**
     * Reports whether the memory of all open handles is locked, according to this library and to the system.
     *
     * @return no if a handle has no lock or the system counts less as locked than the handles hold; unknown if the
     *     system does not report what it counts; yes if there is no handle
     */
    public Tristate kept() {
        return notLocked.isEmpty() ? confirmed : Tristate.NO;
    }

    /**
     * Returns how much the open handles of this process hold, each page once.
     *
     * @return bytes, a multiple of the page size; without what an {@link AddressSpaceLock} locks
     */
    public long lockedBytes() {
        return lockedBytes;
    }

    /**
     * Returns what the system counts as locked by this process.
     *
     * @return bytes; empty if it does not report it
     */
    public OptionalLong systemLockedBytes() {
        return systemLockedBytes;
    }

    /**
     * Reports whether the system counts at least {@link #lockedBytes()} as locked. It counts less if memory was
     * unmapped under its handle or unlocked by other code.
     *
     * @return unknown if the system does not report what it counts
     */
    public Tristate confirmed() {
        return confirmed;
    }

    /**
     * Returns what is not locked although a handle is open.
     *
     * @return an unmodifiable list with one entry a reason; empty if everything is locked
     */
    public List<NotLocked> notLocked() {
        return notLocked;
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
     *
     * @return a new map, in which a count that the system does not report is null
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("policy", policy.name());
        map.put("kept", kept().name());
        map.put("lockedBytes", lockedBytes);
        map.put("systemLockedBytes", systemLockedBytes.isPresent() ? systemLockedBytes.getAsLong() : null);
        map.put("confirmed", confirmed.name());
        map.put("notLocked", notLocked.stream().map(NotLocked::toMap).collect(Collectors.toList()));
        return map;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof LockReport)) {
            return false;
        }
        LockReport that = (LockReport) other;
        return policy == that.policy
                && lockedBytes == that.lockedBytes
                && systemLockedBytes.equals(that.systemLockedBytes)
                && confirmed == that.confirmed
                && notLocked.equals(that.notLocked);
    }

    @Override
    public int hashCode() {
        return Objects.hash(policy, lockedBytes, systemLockedBytes, confirmed, notLocked);
    }

    /** Returns the whole report for people, in one line and one more for each reason. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("policy " + policy + ", locked by handles: "
                + ByteSize.format(lockedBytes) + ", according to the kernel: "
                + (systemLockedBytes.isPresent() ? ByteSize.format(systemLockedBytes.getAsLong()) : "unknown"));
        notLocked.forEach(each -> text.append('\n').append(each));
        return text.toString();
    }
}
