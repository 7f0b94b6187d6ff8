// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

/**
 * Names the protections of the memory of a {@link SecretPool}. You require or prefer each one separately, and the pool
 * reports each one separately. More may be added in later versions.
 */
public enum Protection {
    /** The memory is locked: not written to swap space. */
    LOCKED,
    /** The memory is left out of core dumps. */
    NOT_DUMPED,
    /** A forked child finds zeros, or no memory, in place of the secrets. */
    NOT_INHERITED,
    /** A page without access precedes and another follows each group of pages, so that code that overruns memory ends there. */
    GUARD_PAGES,
    /**
     * The kernel itself has the memory mapped nowhere else (memfd_secret(2) Linux), so that neither other processes nor the
     * kernel read it. Such memory is also locked and left out of core dumps.
     */
    SECRET_MEMORY,
    /**
     * A secret is wiped when it is closed, and when it is garbage-collected without having been closed. This is always
     * kept.
     */
    WIPED_ON_CLOSE,
    /** Secrets that are open when the JVM ends are wiped by a shutdown hook, so not after a crash or a SIGKILL. */
    WIPED_AT_EXIT
}
