// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.LimitValue;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.MemoryGuard;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * Provides what {@link BackendContract} needs in addition to the backend: memory of this process, and a witness that
 * knows what is locked without asking the library. The author of a backend writes it, and it is opened again for every
 * test.
 *
 * <p>{@link #abilities()} declares what the system offers and the author has implemented. A rule that needs a missing
 * ability is skipped, and the report names the ability. Methods of an ability that is not declared are never called.
 *
 * <p>Addresses are on page boundaries unless said otherwise.
 */
public interface Harness extends AutoCloseable {
    /** Names the abilities that a harness may have. */
    enum Ability {
        /** {@link Harness#isLocked}. */
        SEE_LOCKED,
        /** {@link Harness#isResident}. */
        SEE_RESIDENT,
        /** The system can say of a page that it is not in memory. Without this, the answer may be unknown (FreeBSD by default). */
        TELL_ABSENT,
        /** {@link Harness#isOnFault}. */
        SEE_ON_FAULT,
        /** {@link Harness#lockedBytes}. */
        SEE_LOCKED_BYTES,
        /** {@link Harness#limit}. */
        SEE_LIMIT,
        /** {@link Harness#setLimit}. */
        SET_LIMIT,
        /** {@link Harness#setSystemLimit}. */
        SET_SYSTEM_LIMIT,
        /** {@link Harness#lastSync}. */
        SEE_SYNC,
        /** {@link Harness#setLimit} takes {@link Long#MAX_VALUE}: no hard limit keeps this process from it. */
        SET_UNLIMITED,
        /** {@link Harness#forbid}. */
        FORBID,
        /** {@link Harness#remap}. */
        REMAP,
        /** {@link Harness#protect}; only where the system refuses to lock such pages. */
        PROTECT,
        /** {@link Harness#mapFile} and {@link Harness#truncate}. */
        TRUNCATE,
        /** {@link Harness#truncate} also takes pages out of memory that are locked. */
        SHORTEN_LOCKED,
        /** {@link Harness#mapUnlockable}. */
        MAP_UNLOCKABLE,
        /** {@link Harness#refuseUnlock}. */
        REFUSE_UNLOCK,
        /** {@link Harness#refuseUnlockAll}. */
        REFUSE_UNLOCK_ALL,
        /** It refuses unlocks alone, so that locks succeed meanwhile. */
        REFUSE_UNLOCK_ALONE,
        /** {@link Harness#refuseNextLock}. */
        REFUSE_LOCK,
        /** {@link Harness#holdNextLock}. */
        HOLD_LOCK,
        /** Tests may lock the whole address space: there is memory enough, and nothing else runs in this process. */
        LOCK_ADDRESS_SPACE,
        /** {@link Harness#isGuarded}. */
        SEE_GUARDS,
        /** {@link Harness#childReads}. */
        FORK,
        /** {@link Harness#provider}. */
        PROVIDE
    }

    /**
     * Returns the abilities of this harness.
     *
     * @return always the same set
     */
    Set<Ability> abilities();

    /**
     * Returns the backend under test.
     *
     * @return always the same backend
     */
    Backend backend();

    /**
     * Returns the page size, without asking the backend.
     *
     * @return bytes in a page
     */
    long pageSize();

    /**
     * Returns how much more this process may lock under the system's rules, without asking the backend. Tests that need
     * more are skipped.
     *
     * @return bytes; 0 if it may not lock at all, {@link Long#MAX_VALUE} if nothing binds it
     */
    long room();

    /**
     * Returns why a lock beyond {@link #room()} must be refused.
     *
     * @return {@link Reason#OVER_LIMIT}, or {@link Reason#NOT_PERMITTED} where this process may not lock at all
     */
    default Reason refusal() {
        return Reason.OVER_LIMIT;
    }

    /**
     * Maps private memory, readable and writable, not touched, with unmapped pages on both sides.
     *
     * @param pages how many pages
     * @return the address
     */
    long map(long pages);

    /**
     * Unmaps pages.
     *
     * @param address the address
     * @param pages how many pages
     */
    void unmap(long address, long pages);

    /**
     * Writes a byte that is not 0 to an address.
     *
     * @param address the address
     */
    void touch(long address);

    /** Unmaps everything, undoes limits and refusals. */
    @Override
    void close();

    /**
     * Asks the system whether it must keep a page in memory.
     *
     * @param address an address in the page
     * @return whether the page is locked
     */
    default boolean isLocked(long address) {
        throw new UnsupportedOperationException("isLocked");
    }

    /**
     * Asks the system whether a page is in memory.
     *
     * @param address an address in the page
     * @return whether the page is resident
     */
    default boolean isResident(long address) {
        throw new UnsupportedOperationException("isResident");
    }

    /**
     * Asks the system whether the lock on a page is of the kind that waits for the first touch.
     *
     * @param address an address in the page
     * @return whether it is
     */
    default boolean isOnFault(long address) {
        throw new UnsupportedOperationException("isOnFault");
    }

    /**
     * Asks the system how much this process has locked.
     *
     * @return bytes
     */
    default long lockedBytes() {
        throw new UnsupportedOperationException("lockedBytes");
    }

    /**
     * Reads the soft limit, not through the backend.
     *
     * @return the limit that the process meets first
     */
    default LimitValue limit() {
        throw new UnsupportedOperationException("limit");
    }

    /**
     * Asks the system whether it guards a page. Secret memory may also count as not dumped.
     *
     * @param address an address in the page
     * @param guard what to ask for
     * @return whether it does
     */
    default boolean isGuarded(long address, MemoryGuard guard) {
        throw new UnsupportedOperationException("isGuarded");
    }

    /**
     * Forks a child that reads a byte.
     *
     * @param address where it reads
     * @return the byte, from 0 to 255; -1 if the child has no such page
     */
    default int childReads(long address) {
        throw new UnsupportedOperationException("childReads");
    }

    /**
     * Sets the soft limit, in a process that it binds.
     *
     * @param bytes the limit, a whole number of pages; {@link Long#MAX_VALUE} for unlimited
     */
    default void setLimit(long bytes) {
        throw new UnsupportedOperationException("setLimit");
    }

    /**
     * Sets how much may be locked in the whole system, where the backend can read that.
     *
     * @param bytes the limit, a whole number of pages
     */
    default void setSystemLimit(long bytes) {
        throw new UnsupportedOperationException("setSystemLimit");
    }

    /**
     * Returns the flags with which the system was last asked to write pages back.
     *
     * @return {@code sync} or {@code async}, and {@code  invalidate} after it where that was among them; empty if it
     *     was not asked
     */
    default String lastSync() {
        throw new UnsupportedOperationException("lastSync");
    }

    /**
     * Takes the right to lock at all from this process, or gives it back.
     *
     * @param value whether locking is forbidden
     */
    default void forbid(boolean value) {
        throw new UnsupportedOperationException("forbid");
    }

    /**
     * Maps new memory in place of what is mapped at an address.
     *
     * @param address the address
     * @param pages how many pages
     */
    default void remap(long address, long pages) {
        throw new UnsupportedOperationException("remap");
    }

    /**
     * Removes all access from pages.
     *
     * @param address the address
     * @param pages how many pages
     */
    default void protect(long address, long pages) {
        throw new UnsupportedOperationException("protect");
    }

    /**
     * Maps a file of a number of pages.
     *
     * @param pages how many pages
     * @return the address
     */
    default long mapFile(long pages) {
        throw new UnsupportedOperationException("mapFile");
    }

    /**
     * Shortens a file.
     *
     * @param address what {@link #mapFile} returned
     * @param pages how many pages it has from now on
     */
    default void truncate(long address, long pages) {
        throw new UnsupportedOperationException("truncate");
    }

    /**
     * Maps memory of a kind that the system reports as locked and does not lock.
     *
     * @param pages how many pages
     * @return the address
     */
    default long mapUnlockable(long pages) {
        throw new UnsupportedOperationException("mapUnlockable");
    }

    /**
     * Makes the system refuse to unlock, for any cause except a hole, or ends that.
     *
     * @param value whether it refuses
     */
    default void refuseUnlock(boolean value) {
        throw new UnsupportedOperationException("refuseUnlock");
    }

    /**
     * Makes the system refuse to unlock the whole address space, or ends that.
     *
     * @param value whether it refuses
     */
    default void refuseUnlockAll(boolean value) {
        throw new UnsupportedOperationException("refuseUnlockAll");
    }

    /**
     * Makes the system refuse the next lock with the errno of a limit or a hole, although there is neither; twice if the backend asks
     * once more.
     */
    default void refuseNextLock() {
        throw new UnsupportedOperationException("refuseNextLock");
    }

    /**
     * Makes the next lock wait in the system.
     *
     * @param arrived counted down when it is there
     * @param until what it waits for
     */
    default void holdNextLock(CountDownLatch arrived, CountDownLatch until) {
        throw new UnsupportedOperationException("holdNextLock");
    }

    /**
     * Returns the provider of the backend.
     *
     * @return a new provider
     */
    default BackendProvider provider() {
        throw new UnsupportedOperationException("provider");
    }
}
