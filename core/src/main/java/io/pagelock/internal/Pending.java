// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PendingLock;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.DaemonThread;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/** A lock under way. What cancels it is that the future is done before the lock is. */
class Pending extends CompletableFuture<PageLock> implements PendingLock {
    private static final long AGAIN_NANOS = 10_000_000;
    private static final long TRIES = 50;

    private final long totalBytes;
    private final Function<PageLockException, PageLock> instead;
    private final Progress progress = new Progress(this::isDone);

    Pending(long totalBytes) {
        this(totalBytes, null);
    }

    /** @param instead makes the handle without a lock that a refusal becomes; null if it stays a failure */
    Pending(long totalBytes, Function<PageLockException, PageLock> instead) {
        this.totalBytes = totalBytes;
        this.instead = instead;
    }

    Progress progress() {
        return progress;
    }

    /** Has the system's own call cancelled with this future; to cancel one that is done does nothing. */
    void carriedOutBy(AsyncCall nativeCall) {
        whenComplete((lock, failure) -> nativeCall.cancel());
    }

    /**
     * Hands the handle over.
     *
     * @return false if nobody wants it any more
     */
    boolean handOver(PageLock lock) {
        progress.reach(totalBytes);
        return complete(lock);
    }

    /**
     * Completes with a failure. That needs memory; without any, later is better than never, though a thread that is not ours
     * cannot be kept for ever.
     */
    void fail(Throwable failure) {
        long tries = DaemonThread.isCurrent() ? Long.MAX_VALUE : TRIES;
        while (!isDone()) {
            try {
                if (instead != null && failure instanceof PageLockException) {
                    complete(instead.apply((PageLockException) failure));
                } else {
                    completeExceptionally(failure);
                }
            } catch (OutOfMemoryError e) {
                if (--tries == 0) {
                    throw e;
                }
                LockSupport.parkNanos(AGAIN_NANOS);
            }
        }
    }

    @Override
    public long lockedBytes() {
        return Math.min(progress.bytes(), totalBytes);
    }

    @Override
    public long totalBytes() {
        return totalBytes;
    }

    /** This future itself, so that cancelling it cancels the lock and no handle is lost between two futures. */
    @Override
    public CompletableFuture<PageLock> toCompletableFuture() {
        return this;
    }

    @Override
    public void obtrudeValue(PageLock value) {
        throw new UnsupportedOperationException("obtrudeValue; the handle of the lock would be lost");
    }

    @Override
    public void obtrudeException(Throwable failure) {
        throw new UnsupportedOperationException("obtrudeException; the handle of the lock would be lost");
    }
}
