// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/** Selects the part of the address space that {@link PageLocker#lockAddressSpace} locks. */
public enum AddressSpaceScope {
    /**
     * Covers every page that is mapped now. This does not keep a growing Java heap locked: as the heap grows, the
     * collector maps memory over its reserved address space, and the new mapping is not locked. Use
     * {@link #CURRENT_AND_FUTURE}, or a heap of fixed size that is committed and touched at the start ({@code -Xms}
     * equal to {@code -Xmx}, with {@code -XX:+AlwaysPreTouch}).
     */
    CURRENT(true, false),
    /**
     * Covers every page that is mapped from now on, including thread stacks and the growing Java heap. Under a small
     * limit, the kernel then refuses new mappings, and threads can no longer be created.
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
     * Reports whether this scope includes pages that are mapped now.
     *
     * @return true unless this is {@link #FUTURE}
     */
    public boolean includesCurrent() {
        return current;
    }

    /**
     * Reports whether this scope includes pages that are mapped later.
     *
     * @return true unless this is {@link #CURRENT}
     */
    public boolean includesFuture() {
        return future;
    }
}
