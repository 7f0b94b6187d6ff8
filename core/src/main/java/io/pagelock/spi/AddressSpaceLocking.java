// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Locks the whole address space, for {@link io.pagelock.Capability#LOCK_ADDRESS_SPACE}.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. The rules of {@link Backend} on addresses
 * and threads apply here too.
 */
public interface AddressSpaceLocking {
    /**
     * Locks the address space. Each call is independent of earlier ones: {@code CURRENT} locks what is mapped,
     * {@code FUTURE} switches future locking on, {@code ON_FAULT} makes both lock on first touch. It does not matter if
     * a call for {@code CURRENT} switches future locking off, as on Linux; the engine always asks for it again.
     *
     * @param scope what to lock
     * @param options how to lock; {@code ON_FAULT} only with {@link Capability#LOCK_ADDRESS_SPACE_ON_FAULT}
     * @throws PageLockException if the system refused
     */
    void lockAll(AddressSpaceScope scope, Set<LockOption> options);

    /**
     * Reports what a failed {@link #lockAll} leaves behind.
     *
     * @return true if nothing, as on Linux; false if the future flag or locked pages may stay, as on FreeBSD and illumos
     */
    default boolean failedLockAllLeavesNothing() {
        return false;
    }

    /**
     * Ends future locking and unlocks everything. If the system can keep some ranges locked throughout, the backend
     * does so. The engine locks them again afterwards in any case.
     *
     * @param keep aligned ranges, sorted and disjoint, that should stay locked if possible; they may have holes
     * @throws PageLockException if the system refused; nothing is unlocked then, but locks may have become locks on
     *     fault
     */
    void unlockAll(List<MemoryRange> keep);

    /**
     * Returns what the system would charge for locking everything that is mapped now.
     *
     * @return bytes; empty if the system does not report it
     */
    default OptionalLong addressSpaceBytes() {
        return OptionalLong.empty();
    }
}
