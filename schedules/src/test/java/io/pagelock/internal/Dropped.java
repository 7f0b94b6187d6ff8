// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.PageLock;

/** Lets tests say when a handle is dropped; the garbage collector would not say it twice at the same moment. */
public final class Dropped {
    private Dropped() {}

    /** Hands the handle to the reaper, as the collector does with one that nobody can reach. */
    public static void drop(PageLock lock) {
        ((Handle) lock).hold().enqueue();
    }
}
