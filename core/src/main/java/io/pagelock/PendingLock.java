// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.concurrent.CompletableFuture;

/**
 * A lock that is under way, see {@link PageLocker#lockAsync(MemoryRange, LockOption...)}. Completes with the handle, or
 * exceptionally: with what {@link PageLocker#lock(MemoryRange, LockOption...)} would throw, with
 * {@link Reason#QUEUE_FULL} where the system takes no more, with what the executor threw, or with an OutOfMemoryError.
 *
 * <p>Cancelling works in every state: what was queued never locks; what is running stops as soon as the system lets it and is
 * unlocked again, after the future has completed as cancelled; when it is done, cancelling does nothing and the handle is
 * the caller's to close. Completing the future by other means counts as cancelling.
 */
public abstract class PendingLock extends CompletableFuture<PageLock> {
    /** For implementations of {@link PageLocker}. */
    protected PendingLock() {}

    /**
     * How much is locked so far. A snapshot that grows, in steps of some MiB for a large range; a small range and a lock on
     * fault are one call, before which it is 0.
     *
     * @return bytes, at most {@link #totalBytes()}
     */
    public abstract long lockedBytes();

    /**
     * How much is to be locked, whole pages.
     *
     * @return bytes
     */
    public abstract long totalBytes();
}
