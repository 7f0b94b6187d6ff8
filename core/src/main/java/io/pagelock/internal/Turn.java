// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The place of a call in the {@link TurnQueue}. Guarded by the monitor of {@link LockTable}. */
final class Turn {
    /** States that one call waits behind another. */
    static final class Edge {
        final Turn earlier;
        final Turn later;
        Edge next;

        Edge(Turn earlier, Turn later, Edge next) {
            this.earlier = earlier;
            this.later = later;
            this.next = next;
        }
    }

    final Call call;
    private final Thread thread;
    private final BooleanSupplier handOn;

    /** The calls that wait behind this one. */
    Edge behind;
    /** How many calls this one waits behind. */
    int ahead;
    /** The call that counted this one last among those it waits behind. */
    Turn countedBy;

    boolean isFirst;
    boolean isCalled;
    boolean isCancelled;
    /** Links a list that must be made without memory. */
    Turn next;

    /**
     * A place that is not in the queue yet.
     *
     * @param thread waits for the turn; null if none does
     * @param handOn hands the call to a thread instead; false if there is none. Runs under the monitor
     */
    Turn(Call call, Thread thread, BooleanSupplier handOn) {
        this.call = call;
        this.thread = thread;
        this.handOn = handOn;
    }

    /** Has a thread look whether the call may begin; false if there is none. */
    boolean wake() {
        if (thread != null) {
            LockSupport.unpark(thread);
            return true;
        }
        return handOn.getAsBoolean();
    }

    /** Gives the place up, and has whoever carries the call out see that it is cancelled. A thread that waits gives it up itself. */
    void cancel(TurnQueue queue) {
        if (thread == null) {
            queue.cancel(this);
        }
        wake();
    }
}
