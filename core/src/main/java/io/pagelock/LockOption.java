// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Selects how a range is locked. Without an option, every page of the range is in memory and locked when the call
 * returns.
 *
 * @see PageLocker#lock(MemoryRange, LockOption...)
 */
public enum LockOption {
    /**
     * Locks each page when it is first touched instead of paging everything in at once. Pages that are already in
     * memory are locked at once. Never weakens a full lock that another handle holds on the same pages.
     *
     * <p>Needs {@link Capability#LOCK_ON_FAULT}. Source: mlock2(2) Linux, {@code MLOCK_ONFAULT}.
     */
    ON_FAULT
}
