// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One system's page locking, translated. The engine calls it and does everything else: it counts handles, rounds, undoes
 * what a failed call left behind, and goes round holes.
 *
 * <p>Addresses and lengths are in bytes, aligned to {@link #pageSize()}, not empty, and do not pass the end of the address
 * space. The engine never has two calls under way for overlapping ranges, except that {@link #lockAll}, {@link #unlockAll},
 * {@link #sync} and the methods that only look may run beside any other. Otherwise every method may be called by any thread
 * at any time, and none is called while the engine holds a monitor.
 *
 * <p>A refusal of the system is a {@link PageLockException} with reason, function, errno, finding and remedy; the engine
 * adds the range and the system. Find the reason out after the failure, by looking, and use {@link Reason#UNKNOWN} where
 * that does not decide it. Look at a call's result first and at errno only if the result is a failure.
 */
public interface Backend {
    /**
     * Describes this backend.
     *
     * @return always the same description
     */
    BackendInfo info();

    /**
     * The page size that the system reports.
     *
     * @return bytes in a page, a power of two, always the same
     */
    long pageSize();

    /**
     * The width of a pointer.
     *
     * @return 32 or 64
     */
    int addressBits();

    /**
     * What this system can do. A method that belongs to a capability which is missing here is never called.
     *
     * @return always the same set
     */
    Set<Capability> capabilities();

    /**
     * Locks a range, really asking the system even if the pages are locked already. May leave a part locked when it fails.
     *
     * @param address the start
     * @param length the length in bytes
     * @param options how to lock; {@code ON_FAULT} only with {@link Capability#LOCK_ON_FAULT}
     * @throws PageLockException if the system refused, or said that it locked pages and did not
     */
    void lock(long address, long length, Set<LockOption> options);

    /**
     * Unlocks a range. Pages that are not locked are no error.
     *
     * @param address the start
     * @param length the length in bytes
     * @throws PageLockException if the system refused; with {@link Reason#NOT_MAPPED} if there is a hole, which makes the
     *     engine go round it
     */
    void unlock(long address, long length);

    /**
     * Starts to lock a range and returns at once; the system does the rest. Only with {@link Capability#NATIVE_ASYNC}. The
     * engine keeps the memory reachable and starts no other call for the range until the end is reported.
     *
     * @param address the start
     * @param length the length in bytes
     * @param done called exactly once, by any thread and perhaps before this method returns: with null if the pages are
     *     locked, otherwise with the refusal. May take some time, since the engine unlocks in it after a failure; a backend
     *     with one thread for all ends may let it wait, since it never waits for another end
     * @return the call
     * @throws PageLockException if the system did not take the request, with {@link Reason#QUEUE_FULL} if its queue is full
     *     of others' requests; {@code done} is then never called
     */
    default AsyncCall lockAsync(long address, long length, Consumer<PageLockException> done) {
        throw new UnsupportedOperationException("lockAsync");
    }

    /**
     * Brings the pages of a range into memory, best as they can, without locking them. Only with {@link Capability#PAGE_IN}.
     * The engine calls it from several threads for parts of one large range that is locked on fault, so that paging in goes
     * side by side; a lock of the same part follows and tells what went wrong.
     *
     * @param address the start
     * @param length the length in bytes
     * @return false if it does not pay for this memory, or failed; the engine then stops calling it for this range
     */
    default boolean pageIn(long address, long length) {
        return false;
    }

    /**
     * Locks the address space. Asks for exactly this, with no memory of earlier calls: {@code CURRENT} locks what is
     * mapped, {@code FUTURE} switches future locking on, {@code ON_FAULT} makes both lock on first touch. Whether a call
     * for {@code CURRENT} switches future locking off, as on Linux, does not matter; the engine always repeats it.
     *
     * @param scope what to lock
     * @param options how to lock; {@code ON_FAULT} only with {@link Capability#LOCK_ADDRESS_SPACE_ON_FAULT}
     * @throws PageLockException if the system refused
     */
    default void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        throw new UnsupportedOperationException("lockAll");
    }

    /**
     * Tells what a failed {@link #lockAll} leaves behind.
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
    default void unlockAll(List<MemoryRange> keep) {
        throw new UnsupportedOperationException("unlockAll");
    }

    /**
     * Writes pages back.
     *
     * @param address the start
     * @param length the length in bytes
     * @param options how; without {@code ASYNC}, returns when the pages are written
     * @throws PageLockException if the system refused; with {@link Reason#BUSY} if locked pages should be invalidated
     */
    default void sync(long address, long length, Set<SyncOption> options) {
        throw new UnsupportedOperationException("sync");
    }

    /**
     * Asks which pages are locked and resident. Never guesses and never throws for lack of knowledge.
     *
     * @param range an aligned range
     * @return the answers
     */
    default PageStates pageStates(MemoryRange range) {
        return PageStates.unknown(range, pageSize()).build();
    }

    /**
     * The parts of a range that are mapped.
     *
     * @param range an aligned range
     * @return the mapped parts, aligned, sorted and disjoint; or nothing if the system does not tell
     */
    default Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return Optional.empty();
    }

    /**
     * Reads the limits, what is locked, and the privilege.
     *
     * @return a snapshot; what cannot be read is unknown
     */
    LockLimits limits();

    /**
     * What the system would charge for locking everything that is mapped now.
     *
     * @return bytes; empty if the system does not tell
     */
    default OptionalLong addressSpaceBytes() {
        return OptionalLong.empty();
    }

    /**
     * What a user of this system can do when a lock fails for the given reason.
     *
     * @param reason why it would fail
     * @param bytes how many bytes should become lockable in all, or 0 if that is not the question
     * @return the remedy, naming the knobs of this system; empty if there is none
     */
    String remedy(Reason reason, long bytes);

    /**
     * The address of a direct buffer's first byte, at index 0 and not at its position.
     *
     * @param buffer a direct or mapped buffer
     * @return the address
     */
    long address(ByteBuffer buffer);
}
