// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * Everything that bounds how much this process may lock, as it was when {@link PageLocker#limits()} was called: the
 * limits, how much is locked by the system's own count, and the privilege that lifts limits. Immutable.
 */
public final class LockLimits {
    private final List<LockLimit> all;
    private final OptionalLong lockedBytes;
    private final String privilege;
    private final Tristate privileged;

    /**
     * Makes a snapshot; for backends.
     *
     * @param all every limit, the one that this process meets first at the head; not empty
     * @param lockedBytes how many bytes this process has locked by the system's count; empty if the system does not say
     * @param privilege the name of the privilege on this system, for example {@code CAP_IPC_LOCK}
     * @param privileged whether this process has it, and with effect
     */
    public LockLimits(List<LockLimit> all, OptionalLong lockedBytes, String privilege, Tristate privileged) {
        if (all.isEmpty()) {
            throw new IllegalArgumentException("no limit; name the one of this system with LimitValue.none()");
        }
        this.all = Collections.unmodifiableList(new ArrayList<>(all));
        this.lockedBytes = Objects.requireNonNull(lockedBytes, "lockedBytes");
        this.privilege = Objects.requireNonNull(privilege, "privilege");
        this.privileged = Objects.requireNonNull(privileged, "privileged");
    }

    /**
     * Every limit, the one that this process meets first at the head.
     *
     * @return an unmodifiable list, never empty
     */
    public List<LockLimit> all() {
        return all;
    }

    /**
     * The soft size of the first limit.
     *
     * @return the size in force
     */
    public LimitValue soft() {
        return all.get(0).soft();
    }

    /**
     * The hard size of the first limit.
     *
     * @return the size up to which it may be raised without privilege
     */
    public LimitValue hard() {
        return all.get(0).hard();
    }

    /**
     * Whom the first limit covers.
     *
     * @return the scope
     */
    public LockLimit.Scope scope() {
        return all.get(0).scope();
    }

    /**
     * How much this process has locked by the system's own count, through this library or not.
     *
     * @return the bytes; empty without {@link Capability#LOCKED_BYTES}
     */
    public OptionalLong lockedBytes() {
        return lockedBytes;
    }

    /**
     * The right that lifts limits or permits locking, by its name on this system.
     *
     * @return for example {@code CAP_IPC_LOCK} on Linux
     */
    public String privilege() {
        return privilege;
    }

    /**
     * Whether this process has the privilege, and it has effect.
     *
     * @return yes, no, or unknown
     */
    public Tristate privileged() {
        return privileged;
    }

    /**
     * How many more bytes the limits leave to this process. Physical memory counts only where the backend lists it as a
     * limit; another process may take the room meanwhile.
     *
     * @return the least room that any limit leaves; unlimited if none binds; unknown if one that binds is not known
     */
    public LimitValue lockable() {
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

    @Override
    public String toString() {
        return all + ", locked " + (lockedBytes.isPresent() ? ByteSize.format(lockedBytes.getAsLong()) : "unknown")
                + ", " + privilege + ": " + privileged.name().toLowerCase(Locale.ROOT);
    }
}
