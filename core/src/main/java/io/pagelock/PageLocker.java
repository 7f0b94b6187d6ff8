// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import io.pagelock.internal.Discovery;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * Locks memory of this process so that the system keeps it in RAM. <strong>The handle is the lock:</strong> keep the
 * {@link PageLock} that {@code lock} returns, and close it to unlock. A handle that nobody keeps is garbage-collected
 * and its pages are unlocked, even if their memory is still in use; the log names the place that made the handle, see
 * {@link #LEAKS_PROPERTY}.
 *
 * <p>There is one locker per process, {@link #system()}, because the kernel keeps one state per process and does not
 * count: the first unlock of a page ends every lock on it. This locker counts, so a page stays locked until the last
 * handle over it closes. It does not know of locks that other code takes by calling the system directly.
 *
 * <p><strong>Ranges</strong> are given in bytes and rounded outward to whole pages of {@link #pageSize()} bytes. A
 * {@link ByteBuffer} stands for its remaining bytes and must be direct or mapped. An empty range is refused with
 * {@link IllegalArgumentException}.
 *
 * <p><strong>Failure</strong> is all or nothing: when a lock fails, exactly the pages that this call added are unlocked
 * again, and pages that other handles hold stay locked.
 *
 * <p><strong>Threads:</strong> every method may be called by any thread at any time. A long lock delays neither locks
 * of other ranges nor the closing of handles. If a virtual thread locks a range over 4 MiB, a thread of this library
 * does it, so that the carrier can run other threads in the meantime. A smaller range takes one system call, which
 * occupies the carrier.
 *
 * <p><strong>Null:</strong> no argument and no element of one may be null; a {@link NullPointerException} names the
 * parameter, before any system call.
 *
 * <p>Only called by users; more methods may be added in later versions. Tests use
 * {@code io.pagelock.engine.PageLockers.over} with the test kit's {@code FakeBackend}.
 */
public interface PageLocker {
    /**
     * Names the system property that selects the backend, {@value}. Only needed when several backends accept this system; a
     * backend that refuses this system cannot be forced on it.
     */
    String BACKEND_PROPERTY = "io.pagelock.backend";

    /**
     * Names the system property that says what happens when a handle is dropped without close, {@value}. Its pages are
     * unlocked in any case.
     *
     * <ul>
     *   <li>{@code off}: nothing happens.
     *   <li>{@code count}: {@link Statistics#leakedHandles()} counts the handle, the {@link PageLockerMXBean} lists it,
     *       and Flight Recorder records an event {@code io.pagelock.Leak}.
     *   <li>{@code report}, the default: in addition, the first handle from each of ten places, and then one a minute,
     *       is logged as a warning by the logger {@code io.pagelock} ({@code System.Logger}; on Java 8,
     *       java.util.logging). The place where a handle was made is recorded for the first 64 handles and then for one
     *       every 50 ms, so that locks stay fast.
     *   <li>{@code trace}: every handle is logged with its place. Each lock takes about ten microseconds longer.
     * </ul>
     *
     * <p>A separate thread writes the log. If logging is slow or fails, some leaks are not logged, and nothing else
     * waits.
     */
    String LEAKS_PROPERTY = "io.pagelock.leaks";

    /**
     * Returns the locker of this process. The first call searches for the backend; its outcome, good or bad, is kept.
     *
     * @return always the same locker
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED} if there is no usable backend, or with
     *     {@link Reason#NOT_PERMITTED} if a security manager refuses what the library itself needs; the message says
     *     what {@link #availability()} does
     */
    static PageLocker system() {
        return Discovery.system();
    }

    /**
     * Returns the locker of this process with a policy, for programs that can do without a lock. It shares backend and
     * counts with {@link #system()}.
     *
     * <pre>{@code
     * PageLocker locker = PageLocker.system(LockPolicy.BEST_EFFORT);
     * PageLock lock = locker.lock(buffer);  // no exception
     * lock.isValid();                       // whether it is locked
     * log(locker.report());                 // what is locked, and why the rest is not
     * }</pre>
     *
     * <p>With {@link LockPolicy#BEST_EFFORT} and {@link LockPolicy#OFF}, a lock that would throw
     * {@link PageLockException} or, for lack of a capability, {@link UnsupportedOperationException} returns a handle
     * that is not {@linkplain PageLock#isValid valid}; an asynchronous lock completes with such a handle. Without a
     * backend, no handle is valid, {@link #backendInfo} is named "none", {@link #pageStates} answers unknown,
     * {@link #forecast} no, and {@link #pageSize} is 4096. {@code sync} and wrong arguments still throw.
     *
     * @param policy what becomes of a refused lock
     * @return always the same locker for a policy
     * @throws PageLockException as {@link #system()}, with {@link LockPolicy#REQUIRED} alone
     */
    static PageLocker system(LockPolicy policy) {
        return Discovery.system(policy);
    }

    /**
     * Reports which backends were found and why there is none, without an exception.
     *
     * @return the report behind {@link #system()}
     */
    static Availability availability() {
        return Discovery.availability();
    }

    /**
     * Locks the remaining bytes of a buffer.
     *
     * @param buffer a direct or mapped buffer with at least one byte remaining; kept reachable until the pages are
     *     unlocked
     * @param options how to lock
     * @return a handle; close it to unlock
     * @throws IllegalArgumentException if the buffer is on the heap or has nothing remaining
     * @throws IllegalStateException if the buffer belongs to an arena that is closed; a WrongThreadException if it is
     *     confined to another thread. The same holds for every method that takes a buffer or a range with an owner. The
     *     library does not notice when an arena is closed while its memory is locked.
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     * @throws PageLockException as {@link #lock(MemoryRange, LockOption...)}
     */
    @CheckReturnValue
    PageLock lock(ByteBuffer buffer, LockOption... options);

    /**
     * Locks a range of memory. Returns once every page is in memory and locked, or, with {@link LockOption#ON_FAULT},
     * will be locked when it is touched. Locking pages that are already locked is normal and is counted.
     *
     * @param range the memory; its owner, if it has one, is kept reachable until the pages are unlocked, and otherwise
     *     the caller must keep it mapped while the handle is open
     * @param options how to lock
     * @return a handle; close it to unlock
     * @throws IllegalArgumentException if the range, rounded to pages, passes the end of this process's address space
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     * @throws PageLockException if the system refused; nothing stays locked that was not locked before. Reasons:
     *     {@link Reason#OVER_LIMIT}, {@link Reason#NOT_PERMITTED}, {@link Reason#NOT_MAPPED},
     *     {@link Reason#CANNOT_BE_PAGED_IN}, {@link Reason#TOO_MANY_MAPPINGS}, {@link Reason#NO_LOCKABLE_MEMORY},
     *     {@link Reason#IO_ERROR}, {@link Reason#NO_SPACE}, {@link Reason#NOT_SUPPORTED}. Sources: mlock(2) Linux,
     *     FreeBSD and HP-UX, mlock2(2) Linux, memcntl(2) illumos, mlock(3C) IRIX.
     */
    @CheckReturnValue
    PageLock lock(MemoryRange range, LockOption... options);

    /**
     * Locks many ranges under one handle. They are sorted, merged where their pages touch or overlap, and locked with the
     * fewest system calls. If one of them cannot be locked, none of them is.
     *
     * @param ranges the ranges, at least one; they may overlap
     * @param options how to lock
     * @return one handle over all ranges
     * @throws IllegalArgumentException if there is no range, or as {@link #lock(MemoryRange, LockOption...)}
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     * @throws PageLockException as {@link #lock(MemoryRange, LockOption...)}
     */
    @CheckReturnValue
    PageLock lock(Collection<MemoryRange> ranges, LockOption... options);

    /**
     * Starts to lock a range and returns at once. The system itself carries out the lock if it can
     * ({@link Capability#NATIVE_ASYNC}); otherwise a few daemon threads of this library do. All or nothing, as
     * {@link #lock(MemoryRange, LockOption...)}.
     *
     * <p>Dependent stages do not run on the threads that carry out locks, so a stage may lock memory, even memory that
     * overlaps, and may wait for other locks. A stage that blocks for more than a tenth of a second gets its thread
     * replaced, up to 64 at a time; beyond that it delays the completion of other locks: use the {@code ...Async}
     * methods.
     *
     * <p>Two to four threads carry out small locks, and as many large ones. A thread whose lock has made no progress for a
     * second, or was cancelled meanwhile, gets replaced, up to 64 threads of each kind. If 64 locks of a kind hang,
     * further ones wait until one of them ends.
     *
     * @param range the memory; its owner, if it has one, is kept reachable until the pages are unlocked, and otherwise
     *     the caller must keep it mapped until the handle is closed or the lock has failed
     * @param options how to lock
     * @return the lock in progress; close the handle that it returns
     * @throws IllegalArgumentException if the range, rounded to pages, passes the end of this process's address space
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     */
    @CheckReturnValue
    PendingLock lockAsync(MemoryRange range, LockOption... options);

    /**
     * Starts to lock the remaining bytes of a buffer and returns at once.
     *
     * @param buffer a direct or mapped buffer with at least one byte remaining; kept reachable until the pages are unlocked
     * @param options how to lock
     * @return the lock in progress; close the handle that it returns
     * @throws IllegalArgumentException if the buffer is on the heap or has nothing remaining
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     */
    @CheckReturnValue
    PendingLock lockAsync(ByteBuffer buffer, LockOption... options);

    /**
     * Starts to lock many ranges under one handle and returns at once. Otherwise as {@link #lockAsync(MemoryRange, LockOption...)}.
     *
     * @param ranges the ranges, at least one; they may overlap
     * @param options how to lock
     * @return the lock in progress; close the handle that it returns
     * @throws IllegalArgumentException as {@link #lock(Collection, LockOption...)}
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     */
    @CheckReturnValue
    PendingLock lockAsync(Collection<MemoryRange> ranges, LockOption... options);

    /**
     * Starts to lock the remaining bytes of a buffer and returns at once, on the given executor. Otherwise as {@link #lockAsync(MemoryRange, LockOption...)}.
     *
     * @param buffer a direct or mapped buffer with at least one byte remaining; kept reachable until the pages are unlocked
     * @param executor what runs the lock; if it rejects the task, the lock fails with its exception
     * @param options how to lock
     * @return the lock in progress; close the handle that it returns
     * @throws IllegalArgumentException as {@link #lock(ByteBuffer, LockOption...)}
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     */
    @CheckReturnValue
    PendingLock lockAsync(ByteBuffer buffer, Executor executor, LockOption... options);

    /**
     * Starts to lock a range and returns at once, on the given executor. Otherwise as {@link #lockAsync(MemoryRange, LockOption...)}.
     *
     * @param range the memory
     * @param executor what runs the lock; if it rejects the task, the lock fails with its exception
     * @param options how to lock
     * @return the lock in progress; close the handle that it returns
     * @throws IllegalArgumentException as {@link #lock(MemoryRange, LockOption...)}
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     */
    @CheckReturnValue
    PendingLock lockAsync(MemoryRange range, Executor executor, LockOption... options);

    /**
     * Starts to lock many ranges under one handle and returns at once, on the given executor. Otherwise as {@link #lockAsync(MemoryRange, LockOption...)}.
     *
     * @param ranges the ranges, at least one; they may overlap
     * @param executor what runs the lock; if it rejects the task, the lock fails with its exception
     * @param options how to lock
     * @return the lock in progress; close the handle that it returns
     * @throws IllegalArgumentException as {@link #lock(Collection, LockOption...)}
     * @throws UnsupportedOperationException if an option needs a {@link Capability} that the backend lacks
     */
    @CheckReturnValue
    PendingLock lockAsync(Collection<MemoryRange> ranges, Executor executor, LockOption... options);

    /**
     * Locks the whole address space of this process: what is mapped now, what will be mapped, or both. The scopes of
     * several open locks add up; a lock of CURRENT does not end future locking that another asked for.
     *
     * <p><strong>Affects the whole process.</strong> Systems charge the whole virtual size, including the reserved Java
     * heap, against the limit: see {@link #forecastAddressSpace}. With {@link AddressSpaceScope#FUTURE} and a small
     * limit, mapping memory fails later, and threads cannot be created. Most systems silently skip mappings without
     * access.
     *
     * @param scope what to lock
     * @param options how to lock
     * @return a lock that lasts until closed or the process ends
     * @throws UnsupportedOperationException if the backend lacks the {@link Capability}
     * @throws PageLockException if the system refused; future locking is then on only if it was on before. Reasons:
     *     {@link Reason#OVER_LIMIT}, {@link Reason#NOT_PERMITTED}, {@link Reason#NO_LOCKABLE_MEMORY},
     *     {@link Reason#NOT_SUPPORTED}. Sources: mlockall(2) Linux, FreeBSD and HP-UX, memcntl(2) illumos, mlockall(3C)
     *     IRIX.
     */
    @CheckReturnValue
    AddressSpaceLock lockAddressSpace(AddressSpaceScope scope, LockOption... options);

    /**
     * Writes changed pages of a mapped file back to it. Anonymous memory is accepted, and nothing is written for it.
     *
     * @param range the memory, rounded outward to pages
     * @param options how; without {@link SyncOption#ASYNC}, the call waits until the pages are written
     * @throws IllegalArgumentException if the range, rounded to pages, passes the end of this process's address space
     * @throws UnsupportedOperationException without {@link Capability#SYNC}
     * @throws PageLockException if the system refused. Reasons: {@link Reason#BUSY} (locked pages should be
     *     invalidated), {@link Reason#NOT_MAPPED}, {@link Reason#IO_ERROR}. Sources: msync(2) Linux and FreeBSD,
     *     memcntl(2) illumos.
     */
    void sync(MemoryRange range, SyncOption... options);

    /**
     * Writes changed pages under the remaining bytes of a mapped buffer back to its file.
     *
     * @param buffer a direct or mapped buffer with at least one byte remaining
     * @param options as for {@link #sync(MemoryRange, SyncOption...)}
     * @throws IllegalArgumentException if the buffer is on the heap or empty
     * @throws UnsupportedOperationException without {@link Capability#SYNC}
     * @throws PageLockException as {@link #sync(MemoryRange, SyncOption...)}
     */
    void sync(ByteBuffer buffer, SyncOption... options);

    /**
     * Writes changed pages of many ranges back. After a failure, the remaining ranges are not written.
     *
     * @param ranges the ranges, at least one; they may overlap
     * @param options as for {@link #sync(MemoryRange, SyncOption...)}
     * @throws IllegalArgumentException if there is no range, or as {@link #sync(MemoryRange, SyncOption...)}
     * @throws UnsupportedOperationException without {@link Capability#SYNC}
     * @throws PageLockException as {@link #sync(MemoryRange, SyncOption...)}
     */
    void sync(Collection<MemoryRange> ranges, SyncOption... options);

    /**
     * Asks the system which pages are locked and which are resident. A state that the system does not report is
     * {@link Tristate#UNKNOWN}. A page that is not mapped is neither locked nor resident.
     *
     * @param range the memory, rounded outward to pages, at most 2^31-9 of them
     * @return the answers, page by page
     * @throws IllegalArgumentException if the range has too many pages
     */
    PageStates pageStates(MemoryRange range);

    /**
     * Asks the system about the pages under the remaining bytes of a buffer.
     *
     * @param buffer a direct or mapped buffer with at least one byte remaining
     * @return the answers, page by page
     * @throws IllegalArgumentException if the buffer is on the heap or empty
     */
    PageStates pageStates(ByteBuffer buffer);

    /**
     * Asks the system about the pages of many ranges.
     *
     * @param ranges the ranges, at least one
     * @return the answers for each range, in the order of the ranges; unmodifiable
     * @throws IllegalArgumentException if there is no range, or one has too many pages
     */
    List<PageStates> pageStates(Collection<MemoryRange> ranges);

    /**
     * Returns the memory under the remaining bytes of a buffer. The buffer is the owner of the range.
     *
     * @param buffer a direct or mapped buffer with at least one byte remaining
     * @return its address and length
     * @throws IllegalArgumentException if the buffer is on the heap, where the garbage collector moves it, or is empty
     */
    @CheckReturnValue
    MemoryRange rangeOf(ByteBuffer buffer);

    /**
     * Returns new memory that begins and ends at page boundaries, so that a lock of it covers exactly its pages. A
     * buffer of {@link ByteBuffer#allocateDirect} may begin anywhere in a page, so even one with the size of a page
     * touches two pages. The size is rounded up to whole pages of {@link #pageSize()} bytes; one page less a byte is
     * allocated in addition and never touched.
     *
     * @param bytes how many bytes are needed, at least one
     * @return a direct buffer whose capacity is that many bytes, rounded up to whole pages; zeroed, and not locked
     * @throws IllegalArgumentException if bytes is less than one, or so large that the pages do not fit into a buffer
     * @throws OutOfMemoryError if the JVM's limit of direct memory is reached
     */
    @CheckReturnValue
    default ByteBuffer allocatePages(int bytes) {
        long page = pageSize();
        long length = (bytes + page - 1) & -page;
        if (bytes < 1 || length + page - 1 > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    bytes + " bytes, in whole pages of " + page + " bytes, do not make a buffer");
        }
        ByteBuffer block = ByteBuffer.allocateDirect((int) (length + page - 1));
        int start = (int) (-rangeOf(block).address() & (page - 1));
        block.position(start).limit(start + (int) length);
        return block.slice();
    }

    /**
     * Reads the limits, what is locked now, and whether this process has the privilege that lifts them.
     *
     * @return a snapshot
     */
    LockLimits limits();

    /**
     * Reports whether the given number of additional bytes could be locked under the current limits, and if not, why
     * and what to do.
     *
     * @param bytes the bytes to lock, 0 or more, rounded up to whole pages; a range that does not begin at a page
     *     boundary may need one page more
     * @return the forecast
     * @throws IllegalArgumentException if the number is negative
     */
    Forecast forecast(long bytes);

    /**
     * Reports how much {@link #lockAddressSpace} would be charged, and whether it would fit. Systems charge the whole
     * virtual size of the process for {@link AddressSpaceScope#CURRENT}; {@link AddressSpaceScope#FUTURE} is not
     * charged when asked for, but every later mapping is.
     *
     * @param scope as for {@link #lockAddressSpace}
     * @param options as for {@link #lockAddressSpace}
     * @return the forecast
     * @throws UnsupportedOperationException if the backend lacks the {@link Capability}
     */
    Forecast forecastAddressSpace(AddressSpaceScope scope, LockOption... options);

    /**
     * Returns what this system can do.
     *
     * @return an unmodifiable set
     */
    Set<Capability> capabilities();

    /**
     * Describes the backend in use.
     *
     * @return its description
     */
    BackendInfo backendInfo();

    /**
     * Returns the page size that the system reports.
     *
     * @return bytes in a page, a power of two
     */
    long pageSize();

    /**
     * Returns what this locker has done and holds.
     *
     * @return a snapshot
     */
    Statistics statistics();

    /**
     * Returns the policy for refused locks.
     *
     * @return the policy that this locker was asked for with
     */
    default LockPolicy policy() {
        return LockPolicy.REQUIRED;
    }

    /**
     * Reports how much of the memory of this process's open handles is locked, and why the rest is not, for logs and
     * health checks. Asks the system how much it counts as locked, and visits each open handle.
     *
     * @return a snapshot
     */
    LockReport report();

    /**
     * Finds memory of open handles that is no longer mapped. It was unmapped without closing the handle, so
     * {@link #statistics()} still counts it although the system has dropped the lock. Reads the system's list of
     * mappings. Other memory that was mapped at such an address in the meantime counts as mapped;
     * {@link #pageStates(Collection)} reports whether it is locked. A snapshot: a range that is closed and mapped again
     * during the call may be among the results.
     *
     * @return the ranges, aligned, sorted and disjoint; nothing if the system does not list mappings
     */
    Optional<List<MemoryRange>> unmapped();
}
