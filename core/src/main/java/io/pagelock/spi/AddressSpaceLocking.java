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
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. What {@link Backend} says of addresses and
 * threads holds here, too.
 */
public interface AddressSpaceLocking {
    /**
     * Locks the address space. Asks for exactly this, with no memory of earlier calls: {@code CURRENT} locks what is
     * mapped, {@code FUTURE} switches future locking on, {@code ON_FAULT} makes both lock on first touch. Whether a call
     * for {@code CURRENT} switches future locking off, as on Linux, does not matter; the engine always repeats it.
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
     * Ends future locking and unlocks everything. A system that can keep some ranges locked throughout does so; otherwise
     * the engine locks them again afterwards, which it does in any case.
     *
     * @param keep aligned ranges, sorted and disjoint, that should better stay locked; they may have holes
     * @throws PageLockException if the system refused; nothing is unlocked then, but locks may have become locks on fault
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
