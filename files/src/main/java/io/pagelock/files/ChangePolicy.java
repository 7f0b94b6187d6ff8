// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

/** Says what to do when a held file changes. */
public enum ChangePolicy {
    /** Report it. The pages that the mapping has stay locked; what is written or read again later may not be. */
    REPORT,
    /** Map and lock the file as it is now, then let go of what was held before. For a moment both count as locked. */
    RELOCK,
    /** Unlock everything; {@link HeldFiles#failure} says why. */
    FAIL
}
