// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Something that not every system can do. What a backend does not list, it does not do; the call then ends in an
 * {@link UnsupportedOperationException} before any system call. More capabilities may be added in later versions.
 */
public enum Capability {
    /** {@link LockOption#ON_FAULT}. */
    LOCK_ON_FAULT,
    /** {@link PageLocker#lockAddressSpace}. */
    LOCK_ADDRESS_SPACE,
    /** {@link PageLocker#lockAddressSpace} with {@link LockOption#ON_FAULT}. */
    LOCK_ADDRESS_SPACE_ON_FAULT,
    /** {@link PageLocker#sync}. */
    SYNC,
    /** {@link PageLocker#pageStates} tells which pages are resident; without it every answer is {@link Tristate#UNKNOWN}. */
    RESIDENT_PAGES,
    /** {@link PageLocker#pageStates} tells which pages are locked; without it every answer is {@link Tristate#UNKNOWN}. */
    LOCKED_PAGES,
    /** {@link PageLocker#limits} knows how much this process has locked by the system's own count. */
    LOCKED_BYTES,
    /** {@link PageLocker#lockAsync} is carried out by the system itself; without it, by a thread of this library. */
    NATIVE_ASYNC,
    /** Large ranges are paged in by several threads side by side. */
    PAGE_IN
}
