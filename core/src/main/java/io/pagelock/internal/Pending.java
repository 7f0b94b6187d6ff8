// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.PageLock;
import io.pagelock.PendingLock;
import io.pagelock.spi.AsyncCall;

/** A lock under way. What cancels it is that the future is done before the lock is. */
final class Pending extends PendingLock {
    private final long totalBytes;
    private final Progress progress = new Progress(this::isDone);

    Pending(long totalBytes) {
        this.totalBytes = totalBytes;
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

    @Override
    public long lockedBytes() {
        return Math.min(progress.bytes(), totalBytes);
    }

    @Override
    public long totalBytes() {
        return totalBytes;
    }
}
