// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Names functions that not every system has. If the backend does not list a capability, a call that needs it throws
 * {@link UnsupportedOperationException} before any system call. More capabilities may be added in later versions.
 */
public enum Capability {
    /** Supports {@link LockOption#ON_FAULT}. */
    LOCK_ON_FAULT,
    /** Supports {@link PageLocker#lockAddressSpace}. */
    LOCK_ADDRESS_SPACE,
    /** Supports {@link PageLocker#lockAddressSpace} with {@link LockOption#ON_FAULT}. */
    LOCK_ADDRESS_SPACE_ON_FAULT,
    /** Supports {@link PageLocker#sync}. */
    SYNC,
    /** Reports in {@link PageLocker#pageStates} which pages are resident; without it every answer is {@link Tristate#UNKNOWN}. */
    RESIDENT_PAGES,
    /** Reports in {@link PageLocker#pageStates} which pages are locked; without it every answer is {@link Tristate#UNKNOWN}. */
    LOCKED_PAGES,
    /** Reports in {@link PageLocker#limits} how much this process has locked by the system's own count. */
    LOCKED_BYTES,
    /** Carries out {@link PageLocker#lockAsync} in the system itself; without it, a thread of this library does. */
    NATIVE_ASYNC,
    /** Brings large ranges into memory with several threads in parallel. */
    PAGE_IN
}
