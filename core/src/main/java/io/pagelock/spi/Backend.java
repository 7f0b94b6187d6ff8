// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Translates page locking for one system. The engine calls it and does everything else: it counts handles, rounds,
 * undoes the effects of failed calls, and unlocks around holes.
 *
 * <p>Addresses and lengths are in bytes, aligned to {@link #pageSize()}, not empty, and do not pass the end of the
 * address space. The engine never has two calls in progress for overlapping ranges, except that
 * {@link AddressSpaceLocking}, {@link Syncing} and the methods that only read state may run at the same time as any
 * other. Otherwise every method may be called by any thread at any time, and none is called while the engine holds a
 * monitor.
 *
 * <p>If the system refuses, throw a {@link PageLockException} with reason, function, errno, explanation and remedies;
 * the engine adds the range and the system. Find the reason after the failure, from the state of the system, and use
 * {@link Reason#UNKNOWN} if that does not decide it. Look at the result of a call first, and at errno only if the
 * result is a failure.
 */
public interface Backend {
    /**
     * Describes this backend.
     *
     * @return always the same description
     */
    BackendInfo info();

    /**
     * Returns the page size that the system reports.
     *
     * @return bytes in a page, a power of two, always the same
     */
    long pageSize();

    /**
     * Returns the width of a pointer.
     *
     * @return 32 or 64
     */
    int addressBits();

    /**
     * Returns what this system can do. The engine never calls a method whose capability is missing here; the ability of
     * each capability in this set must exist.
     *
     * @return always the same set
     */
    Set<Capability> capabilities();

    /**
     * Returns an optional ability: {@link AddressSpaceLocking}, {@link AsyncLocking}, {@link FileReading},
     * {@link LimitChecking}, {@link LockingAgain}, {@link MappingBudget}, {@link MemoryGuarding},
     * {@link PageStateReading}, {@link PagingIn} or {@link Syncing}. A backend implements those that it has; a backend
     * that forwards to another one overrides this method. More abilities may be added in later versions.
     *
     * @param <A> the type of the ability
     * @param type its interface
     * @return what has the ability, always the same; empty if it is missing
     */
    default <A> Optional<A> ability(Class<A> type) {
        return type.isInstance(this) ? Optional.of(type.cast(this)) : Optional.empty();
    }

    /**
     * Locks a range. Asks the system even if the pages are already locked. May leave part of the range locked when it
     * fails, unless {@link #failedLockLeavesNothing} says otherwise.
     *
     * @param address the start
     * @param length the length in bytes
     * @param options how to lock; {@code ON_FAULT} only with {@link Capability#LOCK_ON_FAULT}
     * @throws PageLockException if the system refused, or reported success without locking the pages
     */
    void lock(long address, long length, Set<LockOption> options);

    /**
     * Reports what a failed {@link #lock} leaves behind. Return true only for a system that is known to undo it,
     * whatever the cause. The engine then does not unlock after the failure, unless it has made other calls for the
     * same lock.
     *
     * @return true if no page that was not locked before, as on FreeBSD; false if a part may stay locked or charged, as
     *     on Linux
     */
    default boolean failedLockLeavesNothing() {
        return false;
    }

    /**
     * Unlocks a range. Pages that are not locked are no error.
     *
     * @param address the start
     * @param length the length in bytes
     * @throws PageLockException if the system refused; with {@link Reason#NOT_MAPPED} if there is a hole, which makes
     *     the engine unlock around it
     */
    void unlock(long address, long length);

    /**
     * Reads the limits, what is locked, and the privilege.
     *
     * @return a snapshot; what cannot be read is unknown
     */
    LockLimits limits();

    /**
     * Returns what a user of this system can do when a lock fails for the given reason.
     *
     * @param reason why it would fail
     * @param bytes how many bytes should become lockable in all, or 0 if that is not the question
     * @return one setting of this system a line, each of which helps by itself, the most likely first; empty if nothing is
     *     known to help
     */
    List<String> remedies(Reason reason, long bytes);

    /**
     * Returns the address of a direct buffer's first byte, at index 0 and not at its position.
     *
     * @param buffer a direct or mapped buffer
     * @return the address
     */
    long address(ByteBuffer buffer);
}
