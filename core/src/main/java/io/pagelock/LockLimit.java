// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * One bound on how much may be locked: its name on this system, whom it covers, its soft and hard size, how much of it is
 * used. A snapshot; immutable.
 */
public final class LockLimit {
    /** Whom a limit covers together. */
    public enum Scope {
        /** This process alone. */
        PROCESS,
        /** Every process of this user. */
        USER,
        /** Every process of this project (Solaris). */
        PROJECT,
        /** Every process of this container, zone, jail or control group. */
        CONTAINER,
        /** The whole system. */
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

    /**
     * Makes a limit; for backends.
     *
     * @param name its name on this system, for example {@code RLIMIT_MEMLOCK}
     * @param scope whom it covers
     * @param soft the size in force
     * @param hard the size up to which the soft one may be raised without privilege; the same as {@code soft} where the
     *     system has only one
     * @param used the bytes counted against it now; empty if unknown
     * @param liftedByPrivilege whether the privilege of {@link LockLimits#privilege()} lifts it
     */
    public LockLimit(
            String name, Scope scope, LimitValue soft, LimitValue hard, OptionalLong used, boolean liftedByPrivilege) {
        this(
                name,
                scope,
                soft,
                hard,
                used,
                liftedByPrivilege,
                scope == Scope.SYSTEM ? Reason.NO_LOCKABLE_MEMORY : Reason.OVER_LIMIT,
                0);
    }

    private LockLimit(
            String name,
            Scope scope,
            LimitValue soft,
            LimitValue hard,
            OptionalLong used,
            boolean liftedByPrivilege,
            Reason reason,
            long reclaimable) {
        this.name = Objects.requireNonNull(name, "name");
        this.scope = Objects.requireNonNull(scope, "scope");
        this.soft = Objects.requireNonNull(soft, "soft");
        this.hard = Objects.requireNonNull(hard, "hard");
        this.used = Objects.requireNonNull(used, "used");
        this.liftedByPrivilege = liftedByPrivilege;
        this.reason = Objects.requireNonNull(reason, "reason");
        this.reclaimable = reclaimable;
    }

    /**
     * Returns this limit as one on memory itself rather than on locking: beyond it there is no lockable memory, and some of
     * what is used may make room. For backends.
     *
     * @param reclaimable how many of the used bytes may make room or be what is asked to be locked, without certainty
     * @return a limit with {@link Reason#NO_LOCKABLE_MEMORY}
     */
    public LockLimit onMemory(long reclaimable) {
        return new LockLimit(name, scope, soft, hard, used, liftedByPrivilege, Reason.NO_LOCKABLE_MEMORY, reclaimable);
    }

    /**
     * The name on this system.
     *
     * @return for example {@code RLIMIT_MEMLOCK}
     */
    public String name() {
        return name;
    }

    /**
     * Whom the limit covers together.
     *
     * @return the scope
     */
    public Scope scope() {
        return scope;
    }

    /**
     * The size in force.
     *
     * @return the soft limit
     */
    public LimitValue soft() {
        return soft;
    }

    /**
     * The size up to which the soft limit may be raised without privilege.
     *
     * @return the hard limit
     */
    public LimitValue hard() {
        return hard;
    }

    /**
     * The bytes that count against this limit now, by the system's own count.
     *
     * @return the bytes, or empty if unknown
     */
    public OptionalLong used() {
        return used;
    }

    /**
     * Whether the privilege of {@link LockLimits#privilege()} lifts this limit.
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

    @Override
    public String toString() {
        return name + " (" + scope.name().toLowerCase(Locale.ROOT) + "): soft " + soft + ", hard " + hard + ", used "
                + (used.isPresent() ? ByteSize.format(used.getAsLong()) : "unknown");
    }
}
