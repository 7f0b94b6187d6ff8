// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

/** Says what to do when a held file changes. */
public enum ChangePolicy {
    /** Report it. The pages of the mapping stay locked; pages that are written or read again later may not be. */
    REPORT,
    /**
     * Map and lock the file as it is now, then unlock the old mapping. For a moment both count as locked; where the limit has
     * room for only one of them, the old one is unlocked first. If the file cannot be locked as it is now, the old mapping
     * stays locked, and the next check tries again.
     */
    RELOCK,
    /** Unlock everything; {@link HeldFiles#failure} says why. */
    FAIL
}
