// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Changes how {@link PageLocker#sync} writes pages back. Without {@link #ASYNC} it waits until they are written.
 *
 * <p>Source: msync(3p) POSIX.1-2017.
 */
public enum SyncOption {
    /** Starts or schedules the writing and returns. */
    ASYNC,
    /** Drops other cached copies of the data. Refused with {@link Reason#BUSY} if a page in the range is locked. */
    INVALIDATE
}
