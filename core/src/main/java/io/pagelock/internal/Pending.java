// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.PageLock;
import io.pagelock.PendingLock;
import io.pagelock.spi.AsyncCall;

/** A lock under way. What cancels it is that the future is done before the lock is. */
final class Pending extends PendingLock {
    private final long totalBytes;
    private final Progress progress = new Progress(this::isDone);
    private volatile AsyncCall call;

    Pending(long totalBytes) {
        this.totalBytes = totalBytes;
    }

    Progress progress() {
        return progress;
    }

    /** The system's own call, to be cancelled with this future. */
    void carriedOutBy(AsyncCall nativeCall) {
        call = nativeCall;
        if (isDone()) {
            nativeCall.cancel();
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        AsyncCall nativeCall = call;
        if (cancelled && nativeCall != null) {
            nativeCall.cancel();
        }
        return cancelled;
    }

    /** Hands the handle over, or gives it back if nobody wants it any more. */
    void handOver(PageLock lock) {
        progress.reach(totalBytes);
        if (!complete(lock)) {
            lock.close();
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
}
