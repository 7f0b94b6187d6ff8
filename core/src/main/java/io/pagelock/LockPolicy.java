// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Says whether a program requires its locks, can do without them, or wants none. The policy is chosen once, with
 * {@link PageLocker#system(LockPolicy)}, instead of in a catch block at every lock. It affects only locks: arguments
 * are still checked, and {@code sync} still throws.
 */
public enum LockPolicy {
    /** Throws if memory cannot be locked. This is the default everywhere. */
    REQUIRED,

    /**
     * Continues if memory cannot be locked, even on a system without a backend. The handle is then not valid from the
     * beginning, and {@link MemoryLock#failure()} says why.
     */
    BEST_EFFORT,

    /**
     * Locks nothing, and neither searches for a backend nor loads one. Every handle is not valid from the beginning.
     */
    OFF
}
