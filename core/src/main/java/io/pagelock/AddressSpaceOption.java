// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Which part of the address space {@link PageLocker#lockAddressSpace} locks, and how. At least one of {@link #CURRENT} and
 * {@link #FUTURE} is needed.
 */
public enum AddressSpaceOption {
    /** Every page that is mapped now. */
    CURRENT,
    /**
     * Every page that will be mapped from now on, thread stacks and the growing Java heap included. Under a small limit
     * new mappings are then refused, and threads can no longer be created.
     */
    FUTURE,
    /** Lock each page when it is first touched. Needs {@link Capability#LOCK_ADDRESS_SPACE_ON_FAULT}. */
    ON_FAULT
}
