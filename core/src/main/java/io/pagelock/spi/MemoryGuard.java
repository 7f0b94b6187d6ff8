// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/**
 * Names the ways, other than locking, in which a system can keep memory secret. More may be added in later versions.
 */
public enum MemoryGuard {
    /** Says that nobody may read or write the pages. This is for pages around memory that must not be overrun. */
    NO_ACCESS,
    /** Leaves the pages out of core dumps. */
    NOT_DUMPED,
    /** Says that a forked child finds zeros in the pages, or has no such pages. */
    NOT_INHERITED,
    /**
     * Says that the kernel itself maps the pages nowhere else, does not read them for anybody, and keeps them locked
     * and out of core dumps. They are zero when the guard begins and when it ends.
     */
    SECRET
}
