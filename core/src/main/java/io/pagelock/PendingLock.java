// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;

/**
 * Represents a lock in progress, see {@link PageLocker#lockAsync(MemoryRange, LockOption...)}. It completes with the
 * handle, or exceptionally: with the exception that {@link PageLocker#lock(MemoryRange, LockOption...)} would throw,
 * with {@link Reason#QUEUE_FULL} if the system accepts no more requests, with the exception of the executor, with an
 * OutOfMemoryError, or with an IllegalStateException if the arena of the memory was closed before the lock began.
 *
 * <p>{@link #cancel} works in every state. A queued lock never locks. A running lock completes as cancelled at once,
 * stops as soon as the system lets it, and is then undone. When the lock is done, cancelling does nothing, and the
 * caller must close the handle.
 *
 * <p>Only called by users; more methods may be added in later versions.
 */
public interface PendingLock extends Future<PageLock>, CompletionStage<PageLock> {
    /**
     * Returns how much is locked so far. Large ranges advance in steps of a few MiB; a small range and a lock on fault
     * take one call, until which this is 0.
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
     * Returns this lock as a future. Cancelling it cancels the lock. Completing it by other means does so too, so that
     * no handle is lost. Its values cannot be obtruded.
     *
     * @return always the same future
     */
    @Override
    CompletableFuture<PageLock> toCompletableFuture();
}
