// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** How far a lock has come, and whether anybody still wants it. Safe for several threads. */
final class Progress {
    /** For a lock that nobody watches or cancels. */
    static final Progress UNWATCHED = new Progress(null);

    private final BooleanSupplier cancelled;
    private final AtomicLong bytes = new AtomicLong();

    Progress(BooleanSupplier cancelled) {
        this.cancelled = cancelled;
    }

    boolean isCancelled() {
        return cancelled != null && cancelled.getAsBoolean();
    }

    /** Throws if nobody wants the lock any more. */
    void check() {
        if (isCancelled()) {
            throw PageLockException.because(Reason.CANCELLED)
                    .detail("cancelled after " + bytes() + " bytes")
                    .build();
        }
    }

    long bytes() {
        return bytes.get();
    }

    void add(long more) {
        if (this != UNWATCHED) {
            bytes.addAndGet(more);
        }
    }

    /** Never goes back: locking again what was paged in already does not count twice. */
    void reach(long total) {
        if (this == UNWATCHED) {
            return;
        }
        long before = bytes.get();
        while (before < total && !bytes.compareAndSet(before, total)) {
            before = bytes.get();
        }
    }
}
