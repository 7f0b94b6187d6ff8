// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * How {@link PageLocker#sync} writes pages back. {@link #SYNC} and {@link #ASYNC} exclude each other; without either,
 * {@link #SYNC} is meant.
 *
 * <p>Source: msync(3p) POSIX.1-2017.
 */
public enum SyncOption {
    /** Waits until the pages are written. */
    SYNC,
    /** Starts or schedules the writing and returns. */
    ASYNC,
    /** Also drops other cached copies of the data. Refused with {@link Reason#BUSY} if a page in the range is locked. */
    INVALIDATE
}
