// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/** Something that a system can do for the secrecy of memory besides locking it. More may be added in later versions. */
public enum MemoryGuard {
    /** Nobody may read or write the pages: for those around memory that must not be overrun. */
    NO_ACCESS,
    /** The pages are left out of core dumps. */
    NOT_DUMPED,
    /** A forked child finds zeros in the pages, or has no such pages. */
    NOT_INHERITED,
    /**
     * The kernel itself has the pages in no other place and does not read them for anybody, and keeps them locked and out of
     * core dumps. They are zero when the guard begins and when it ends.
     */
    SECRET
}
