// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Describes one limit on locked memory: its name on this system, whom it covers, its soft and hard size, and how much
 * of it is used. An immutable snapshot.
 */
public final class LockLimit {
    /** Names whom a limit covers together. */
    public enum Scope {
        /** Covers this process alone. */
        PROCESS,
        /** Covers every process of this user. */
        USER,
        /** Covers every process of this project (Solaris). */
        PROJECT,
        /** Covers every process of this container, zone, jail or control group. */
        CONTAINER,
        /** Covers the whole system. */
        SYSTEM
    }

    private final String name;
    private final Scope scope;
    private final LimitValue soft;
    private final LimitValue hard;
    private final OptionalLong used;
    private final boolean liftedByPrivilege;
    private final Reason reason;
    private final long reclaimable;

    private LockLimit(Builder from) {
        name = from.name;
        scope = from.scope;
        soft = from.soft;
        hard = from.hard == null ? from.soft : from.hard;
        used = from.used;
        liftedByPrivilege = from.liftedByPrivilege;
        reason = from.reason;
        reclaimable = from.reclaimable;
    }

    /**
     * Starts a limit of unknown size; for backends.
     *
     * @param name its name on this system, for example {@code RLIMIT_MEMLOCK}
     * @param scope whom it covers
     * @return a builder
     */
    public static Builder builder(String name, Scope scope) {
        return new Builder(name, scope);
    }

    /**
     * Returns the name on this system.
     *
     * @return for example {@code RLIMIT_MEMLOCK}
     */
    public String name() {
        return name;
    }

    /**
     * Returns whom the limit covers together.
     *
     * @return the scope
     */
    public Scope scope() {
        return scope;
    }

    /**
     * Returns the size in force.
     *
     * @return the soft limit
     */
    public LimitValue soft() {
        return soft;
    }

    /**
     * Returns the size up to which the soft limit may be raised without privilege.
     *
     * @return the hard limit
     */
    public LimitValue hard() {
        return hard;
    }

    /**
     * Returns the bytes that count against this limit now, by the system's own count.
     *
     * @return the bytes, or empty if unknown
     */
    public OptionalLong used() {
        return used;
    }

    /**
     * Reports whether the privilege of {@link LockLimits#privilege()} lifts this limit.
     *
     * @return true if a privileged process is not bound by it
     */
    public boolean liftedByPrivilege() {
        return liftedByPrivilege;
    }

    /**
     * Returns the reason of a lock that this limit refuses.
     *
     * @return {@link Reason#OVER_LIMIT}, or {@link Reason#NO_LOCKABLE_MEMORY} for a limit on memory itself
     */
    public Reason reason() {
        return reason;
    }

    /**
     * Returns how many of the used bytes may make room for a lock, because the system may swap them out or drop them, or because
     * they may be the very pages that are to be locked. A request that fits only with them is neither sure to succeed nor to
     * fail.
     *
     * @return the bytes, 0 if there are none
     */
    public long reclaimable() {
        return reclaimable;
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
     *
     * @return a new map, in which an unknown use is null
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("name", name);
        map.put("scope", scope.name());
        map.put("soft", soft.toMap());
        map.put("hard", hard.toMap());
        map.put("used", used.isPresent() ? used.getAsLong() : null);
        map.put("liftedByPrivilege", liftedByPrivilege);
        map.put("reason", reason.name());
        map.put("reclaimable", reclaimable);
        return map;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof LockLimit)) {
            return false;
        }
        LockLimit that = (LockLimit) other;
        return name.equals(that.name)
                && scope == that.scope
                && soft.equals(that.soft)
                && hard.equals(that.hard)
                && used.equals(that.used)
                && liftedByPrivilege == that.liftedByPrivilege
                && reason == that.reason
                && reclaimable == that.reclaimable;
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, scope, soft, hard, used, liftedByPrivilege, reason, reclaimable);
    }

    @Override
    public String toString() {
        return name + " (" + scope.name().toLowerCase(Locale.ROOT) + "): soft " + soft + ", hard " + hard + ", used "
                + (used.isPresent() ? ByteSize.format(used.getAsLong()) : "unknown");
    }

    /** Collects the properties of a limit. Not safe for several threads. */
    public static final class Builder {
        private final String name;
        private final Scope scope;
        private LimitValue soft = LimitValue.unknown();
        private @Nullable LimitValue hard;
        private OptionalLong used = OptionalLong.empty();
        private boolean liftedByPrivilege;
        private Reason reason;
        private long reclaimable;

        private Builder(String name, Scope scope) {
            this.name = Objects.requireNonNull(name, "name");
            this.scope = Objects.requireNonNull(scope, "scope");
            this.reason = scope == Scope.SYSTEM ? Reason.NO_LOCKABLE_MEMORY : Reason.OVER_LIMIT;
        }

        /**
         * Sets the size in force.
         *
         * @param value the soft limit, unknown unless set
         * @return this builder
         */
        public Builder soft(LimitValue value) {
            this.soft = Objects.requireNonNull(value, "soft");
            return this;
        }

        /**
         * Sets the size up to which the soft limit may be raised without privilege.
         *
         * @param value the hard limit, the same as the soft one unless set
         * @return this builder
         */
        public Builder hard(LimitValue value) {
            this.hard = Objects.requireNonNull(value, "hard");
            return this;
        }

        /**
         * Sets how much counts against the limit now.
         *
         * @param bytes by the system's own count; empty, if unknown, unless set
         * @return this builder
         */
        public Builder used(OptionalLong bytes) {
            this.used = Objects.requireNonNull(bytes, "used");
            return this;
        }

        /**
         * Sets whether the privilege of {@link LockLimits#privilege()} lifts the limit.
         *
         * @param lifted true if a privileged process is not bound by it; false unless set
         * @return this builder
         */
        public Builder liftedByPrivilege(boolean lifted) {
            this.liftedByPrivilege = lifted;
            return this;
        }

        /**
         * Makes this a limit on memory itself rather than on locking: beyond it there is no lockable memory, and some of what
         * is used may make room.
         *
         * @param reclaimable how many of the used bytes may make room or be what is asked to be locked, without certainty
         * @return this builder
         */
        public Builder onMemory(long reclaimable) {
            this.reason = Reason.NO_LOCKABLE_MEMORY;
            this.reclaimable = reclaimable;
            return this;
        }

        /**
         * Makes the limit.
         *
         * @return the limit
         */
        public LockLimit build() {
            return new LockLimit(this);
        }
    }
}
