// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.security.CodeSource;
import java.security.Security;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The mark in this process that one copy of this library counts its locks, for copies of other versions, in other class loaders
 * and with relocated packages to find. It is a property of {@link Security}: a string that holds nobody's class loader, in a table
 * that every JVM has and nobody can replace, as {@link System#setProperties} replaces the system properties.
 *
 * <p>An agent leaves a mark of its own, since it only locks: whoever counts then must not unlock what it locked.
 */
public final class OwnerMark {
    /**
     * The mark of this process. Never to be changed: versions to come must find this one. Put together at run time, because
     * tools that relocate classes rename string constants that look like theirs.
     */
    public static final OwnerMark PROCESS =
            new OwnerMark(String.join("-", "page", "lock", "owner"), String.join("-", "page", "lock", "agent"));

    private final String property;
    private final String agentProperty;
    /** Guarded by the monitor that all copies share. */
    private boolean ours;

    OwnerMark(String property, String agentProperty) {
        // Interned strings are the same objects for every class loader.
        this.property = property.intern();
        this.agentProperty = agentProperty;
    }

    /**
     * Sets the mark, unless another copy has.
     *
     * @return how the other copy describes itself; empty if the mark is ours
     */
    Optional<String> claim() {
        synchronized (property) {
            if (!ours) {
                String owner = Security.getProperty(property);
                if (owner != null && !owner.isEmpty()) {
                    return Optional.of(owner);
                }
                Security.setProperty(property, describe());
                ours = true;
            }
            return Optional.empty();
        }
    }

    /**
     * Locks for an agent, unless a copy counts already. One that wants to count meanwhile waits until this has returned.
     *
     * @param lock locks; returns what stays locked, which copies that count later leave alone; empty if nothing does
     * @return how the copy that counts describes itself; nothing is done then. Empty if there is none
     */
    public Optional<String> lockForAgent(Supplier<Optional<OutsideLock>> lock) {
        synchronized (property) {
            String owner = Security.getProperty(property);
            if (owner != null && !owner.isEmpty()) {
                return Optional.of(owner);
            }
            lock.get().ifPresent(kept -> Security.setProperty(agentProperty, kept.toString()));
            return Optional.empty();
        }
    }

    /** What an agent has locked. Does not change any more once the mark is ours. */
    Optional<OutsideLock> agent() {
        String kept = Security.getProperty(agentProperty);
        return kept == null || kept.isEmpty() ? Optional.empty() : Optional.of(OutsideLock.parse(kept));
    }

    /** Takes our mark away again. */
    void release() {
        synchronized (property) {
            if (ours) {
                // There is no way to remove it.
                Security.setProperty(property, "");
                ours = false;
            }
        }
    }

    /** Describes this copy by its class loader and the place it was loaded from. */
    private static String describe() {
        Class<?> here = OwnerMark.class;
        ClassLoader loader = here.getClassLoader();
        // Not its toString, which is the program's.
        String name = loader == null
                ? "the boot class loader"
                : loader.getClass().getName() + "@" + Integer.toHexString(System.identityHashCode(loader));
        CodeSource source = here.getProtectionDomain().getCodeSource();
        return source == null || source.getLocation() == null ? name : name + ", " + source.getLocation();
    }
}
