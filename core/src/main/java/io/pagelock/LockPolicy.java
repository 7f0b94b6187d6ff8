// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Says what a lock means to a program: a condition, a wish, or nothing. Chosen once, with {@link PageLocker#system(LockPolicy)},
 * instead of in a catch at every lock. Concerns locks alone: arguments are checked, and {@code sync} fails, as ever.
 */
public enum LockPolicy {
    /** Throws if memory cannot be locked. The default of everything. */
    REQUIRED,

    /**
     * Goes on if memory cannot be locked, also on a system without a backend. The handle is then not valid from the beginning, and
     * {@link MemoryLock#failure()} says why.
     */
    BEST_EFFORT,

    /** Locks nothing, and neither looks for a backend nor loads one. Every handle is not valid from the beginning. */
    OFF
}
