// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;

/**
 * Represents a lock in progress, see {@link PageLocker#lockAsync(MemoryRange, LockOption...)}. Completes with the handle, or
 * exceptionally: with what {@link PageLocker#lock(MemoryRange, LockOption...)} would throw, with
 * {@link Reason#QUEUE_FULL} where the system takes no more, with what the executor threw, or with an OutOfMemoryError.
 *
 * <p>{@link #cancel} works in every state: what was queued never locks; what is running stops as soon as the system lets it
 * and is unlocked again, after the future has completed as cancelled; when it is done, cancelling does nothing and the handle
 * is the caller's to close.
 *
 * <p>Only called by users; more methods may be added in later versions.
 */
public interface PendingLock extends Future<PageLock>, CompletionStage<PageLock> {
    /**
     * Returns how much is locked so far. Large ranges advance in steps of a few MiB; a small range and a lock on fault are one
     * call, before which it is 0.
     *
     * @return bytes, at most {@link #totalBytes()}
     */
    long lockedBytes();

    /**
     * Returns how much is to be locked, in whole pages.
     *
     * @return bytes
     */
    long totalBytes();

    /**
     * Returns this lock as a future. Cancelling it cancels the lock, and completing it by other means does too, so that no
     * handle is lost. Its values cannot be obtruded.
     *
     * @return always the same future
     */
    @Override
    CompletableFuture<PageLock> toCompletableFuture();
}
