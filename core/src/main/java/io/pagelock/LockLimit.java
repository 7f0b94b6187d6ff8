// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import io.pagelock.spi.ByteSize;
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
        this.name = Objects.requireNonNull(name, "name");
        this.scope = Objects.requireNonNull(scope, "scope");
        this.soft = Objects.requireNonNull(soft, "soft");
        this.hard = Objects.requireNonNull(hard, "hard");
        this.used = Objects.requireNonNull(used, "used");
        this.liftedByPrivilege = liftedByPrivilege;
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

    @Override
    public String toString() {
        return name + " (" + scope.name().toLowerCase(Locale.ROOT) + "): soft " + soft + ", hard " + hard + ", used "
                + (used.isPresent() ? ByteSize.format(used.getAsLong()) : "unknown");
    }
}
