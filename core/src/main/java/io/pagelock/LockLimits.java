// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Describes whether and how much this process may lock, as it was when {@link PageLocker#limits()} was called: the permission,
 * the limits, how much is locked by the system's own count, and the privilege that lifts limits. Immutable.
 */
public final class LockLimits {
    private final List<LockLimit> all;
    private final OptionalLong lockedBytes;
    private final @Nullable String privilege;
    private final Tristate privileged;
    private final Tristate permitted;

    private LockLimits(Builder from) {
        if (from.all.isEmpty()) {
            throw new IllegalArgumentException(
                    "no limit was added; if this system has none, add one with" + " LimitValue.none()");
        }
        all = Collections.unmodifiableList(new ArrayList<>(from.all));
        lockedBytes = from.lockedBytes;
        privilege = from.privilege;
        privileged = from.privileged;
        permitted = from.permitted;
    }

    /**
     * Starts a snapshot; for backends.
     *
     * @return a builder without limits, in which everything else is unknown
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts a copy of this snapshot.
     *
     * @return a builder with all that this snapshot says
     */
    public Builder toBuilder() {
        Builder copy = new Builder();
        copy.all.addAll(all);
        copy.lockedBytes = lockedBytes;
        copy.privilege = privilege;
        copy.privileged = privileged;
        copy.permitted = permitted;
        return copy;
    }

    /**
     * Returns every limit, beginning with the one that this process reaches first.
     *
     * @return an unmodifiable list, never empty
     */
    public List<LockLimit> all() {
        return all;
    }

    /**
     * Reports whether this process may lock memory at all, however much.
     *
     * @return no if every lock fails with {@link Reason#NOT_PERMITTED}; unknown if the system does not report it
     */
    public Tristate permitted() {
        return permitted;
    }

    /**
     * Returns how much this process has locked by the system's own count, through this library or not.
     *
     * @return the bytes; empty without {@link Capability#LOCKED_BYTES}
     */
    public OptionalLong lockedBytes() {
        return lockedBytes;
    }

    /**
     * Returns the right that lifts limits or permits locking, by its name on this system.
     *
     * @return for example {@code CAP_IPC_LOCK} on Linux; empty if the system has no such right
     */
    public Optional<String> privilege() {
        return Optional.ofNullable(privilege);
    }

    /**
     * Reports whether this process has the privilege in effect.
     *
     * @return yes, no, or unknown
     */
    public Tristate privileged() {
        return privileged;
    }

    /**
     * Returns how many more bytes this process may lock. Physical memory counts only if the backend lists it as a
     * limit. Another process may use up the room in the meantime.
     *
     * @return the least room that any limit leaves; 0 bytes without permission; unlimited if no limit binds; unknown if
     *     the permission, or a limit that binds, is not known
     */
    public LimitValue lockable() {
        if (permitted != Tristate.YES) {
            return permitted == Tristate.NO ? LimitValue.ofBytes(0) : LimitValue.unknown();
        }
        long least = Long.MAX_VALUE;
        boolean bound = false;
        for (LockLimit limit : all) {
            if (limit.liftedByPrivilege() && privileged == Tristate.YES
                    || limit.soft().isUnlimited()
                    || limit.soft().isNone()) {
                continue;
            }
            if (!limit.soft().isKnown()
                    || !limit.used().isPresent()
                    || limit.liftedByPrivilege() && privileged == Tristate.UNKNOWN) {
                return LimitValue.unknown();
            }
            bound = true;
            least = Math.min(
                    least,
                    Math.max(0, limit.soft().bytes().getAsLong() - limit.used().getAsLong()));
        }
        return bound ? LimitValue.ofBytes(least) : LimitValue.unlimited();
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
     *
     * @return a new map, in which an unknown count and a missing privilege are null
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("permitted", permitted.name());
        map.put("all", all.stream().map(LockLimit::toMap).collect(Collectors.toList()));
        map.put("lockedBytes", lockedBytes.isPresent() ? lockedBytes.getAsLong() : null);
        map.put("privilege", privilege);
        map.put("privileged", privileged.name());
        map.put("lockable", lockable().toMap());
        return map;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof LockLimits)) {
            return false;
        }
        LockLimits that = (LockLimits) other;
        return all.equals(that.all)
                && lockedBytes.equals(that.lockedBytes)
                && Objects.equals(privilege, that.privilege)
                && privileged == that.privileged
                && permitted == that.permitted;
    }

    @Override
    public int hashCode() {
        return Objects.hash(all, lockedBytes, privilege, privileged, permitted);
    }

    @Override
    public String toString() {
        return all + ", locked " + (lockedBytes.isPresent() ? ByteSize.format(lockedBytes.getAsLong()) : "unknown")
                + ", permitted: " + word(permitted)
                + (privilege == null ? "" : ", " + privilege + ": " + word(privileged));
    }

    private static String word(Tristate answer) {
        return answer.name().toLowerCase(Locale.ROOT);
    }

    /** Collects limits and what else bounds locking. Not safe for several threads. */
    public static final class Builder {
        private final List<LockLimit> all = new ArrayList<>();
        private OptionalLong lockedBytes = OptionalLong.empty();
        private @Nullable String privilege;
        private Tristate privileged = Tristate.UNKNOWN;
        private Tristate permitted = Tristate.UNKNOWN;

        private Builder() {}

        /**
         * Adds a limit after those that were added before. Add the one that this process reaches first before the
         * others.
         *
         * @param limit the limit
         * @return this builder
         */
        public Builder limit(LockLimit limit) {
            all.add(Objects.requireNonNull(limit, "limit"));
            return this;
        }

        /**
         * Sets the limits, in place of those that were added before.
         *
         * @param limits every limit, beginning with the one that this process reaches first
         * @return this builder
         */
        public Builder limits(List<LockLimit> limits) {
            all.clear();
            limits.forEach(this::limit);
            return this;
        }

        /**
         * Sets how much this process has locked.
         *
         * @param bytes by the system's own count; empty, if the system does not say, unless set
         * @return this builder
         */
        public Builder lockedBytes(OptionalLong bytes) {
            this.lockedBytes = Objects.requireNonNull(bytes, "lockedBytes");
            return this;
        }

        /**
         * Names the right that lifts limits or permits locking. Without a call, the system has no such right.
         *
         * @param name its name on this system, for example {@code CAP_IPC_LOCK}
         * @param held whether this process has it in effect
         * @return this builder
         */
        public Builder privilege(String name, Tristate held) {
            this.privilege = Objects.requireNonNull(name, "privilege");
            this.privileged = Objects.requireNonNull(held, "privileged");
            return this;
        }

        /**
         * Sets whether this process may lock memory at all.
         *
         * @param answer unknown unless set
         * @return this builder
         */
        public Builder permitted(Tristate answer) {
            this.permitted = Objects.requireNonNull(answer, "permitted");
            return this;
        }

        /**
         * Makes the snapshot.
         *
         * @return the snapshot
         * @throws IllegalArgumentException if it has no limit
         */
        public LockLimits build() {
            return new LockLimits(this);
        }
    }
}
