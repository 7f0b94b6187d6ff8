// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/** Selects the part of the address space that {@link PageLocker#lockAddressSpace} locks. */
public enum AddressSpaceScope {
    /**
     * Covers every page that is mapped now. On a JVM that does not keep the Java heap: as it grows, the collector maps memory over what it
     * had reserved, and the new mapping is not locked. {@link #CURRENT_AND_FUTURE} keeps it, and so does a heap of fixed size that is
     * committed and touched at the start ({@code -Xms} equal to {@code -Xmx}, with {@code -XX:+AlwaysPreTouch}).
     */
    CURRENT(true, false),
    /**
     * Covers every page that will be mapped from now on, thread stacks and the growing Java heap included. Under a small limit
     * new mappings are then refused, and threads can no longer be created.
     */
    FUTURE(false, true),
    /** Covers both {@link #CURRENT} and {@link #FUTURE}. */
    CURRENT_AND_FUTURE(true, true);

    private final boolean current;
    private final boolean future;

    AddressSpaceScope(boolean current, boolean future) {
        this.current = current;
        this.future = future;
    }

    /**
     * Reports whether pages are included that are mapped now.
     *
     * @return true unless this is {@link #FUTURE}
     */
    public boolean includesCurrent() {
        return current;
    }

    /**
     * Reports whether pages are included that will be mapped later.
     *
     * @return true unless this is {@link #CURRENT}
     */
    public boolean includesFuture() {
        return future;
    }
}
