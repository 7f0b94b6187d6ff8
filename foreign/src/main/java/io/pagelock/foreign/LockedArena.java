// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Allocates memory that is locked before it is handed out and wiped before it is freed. Otherwise it behaves like the
 * {@link Arena} of the same name:
 *
 * <pre>{@code
 * try (LockedArena arena = LockedArena.ofConfined(PageLocker.system())) {
 *     MemorySegment key = arena.allocate(32);
 * }
 * }</pre>
 *
 * <p>Small allocations share pages: 128 of 32 bytes lock one page of 4 KiB. Larger ones take whole pages, and later
 * small ones use the rest of the last page. Nothing is unlocked before the arena ends.
 *
 * <p>When the arena ends and no thread can reach its memory any more, the memory is wiped, unlocked and freed, in this
 * order. The same happens when an arena and its segments are garbage-collected without a close.
 *
 * <p>Needs native access ({@code --enable-native-access=io.pagelock.foreign}, or {@code ALL-UNNAMED} on the class
 * path), because the JDK restricts attaching a cleanup action to memory.
 */
public final class LockedArena implements Arena {
    private final PageLocker locker;
    private final Arena arena;
    /** Guards what follows. Held across the lock of one page, never across that of more. */
    private final ReentrantLock monitor = new ReentrantLock();

    private final Deque<Slab> slabs = new ArrayDeque<>();
    /** What small allocations are cut from, and how much of it is used. Has the lifetime of the arena from the beginning. */
    private MemorySegment rest;

    private long used;

    @SuppressWarnings("restricted")
    private LockedArena(PageLocker locker, Arena arena) {
        this.locker = Objects.requireNonNull(locker, "locker");
        this.arena = arena;
        rest = MemorySegment.NULL.reinterpret(arena, null);
    }

    /**
     * Makes an arena for the current thread.
     *
     * @param locker what locks the memory
     * @return an arena as {@link Arena#ofConfined()}
     */
    public static LockedArena ofConfined(PageLocker locker) {
        return new LockedArena(locker, Arena.ofConfined());
    }

    /**
     * Makes an arena for all threads.
     *
     * @param locker what locks the memory
     * @return an arena as {@link Arena#ofShared()}
     */
    public static LockedArena ofShared(PageLocker locker) {
        return new LockedArena(locker, Arena.ofShared());
    }

    /**
     * Makes an arena for all threads that ends when it and its segments have become unreachable.
     *
     * @param locker what locks the memory
     * @return an arena as {@link Arena#ofAuto()}, which cannot be closed
     */
    public static LockedArena ofAuto(PageLocker locker) {
        return new LockedArena(locker, Arena.ofAuto());
    }

    /**
     * Allocates locked memory that is filled with zeros. A failure leaves nothing allocated and nothing locked.
     *
     * @param byteSize the size in bytes; 0 gives an empty segment at a distinct address
     * @param byteAlignment the alignment in bytes, a power of two, which may exceed a page
     * @return the memory
     * @throws IllegalArgumentException if the size is negative or the alignment is not a power of two
     * @throws IllegalStateException if the arena is closed
     * @throws WrongThreadException if the arena is confined to another thread
     * @throws OutOfMemoryError if there is not enough memory
     * @throws PageLockException if the memory could not be locked, with the reasons of {@link PageLocker#lock}; with
     *     another {@link PageLocker#policy} than required, the memory is not locked then, see {@link #isLocked}
     */
    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        if (byteSize < 0) {
            throw new IllegalArgumentException("byteSize is " + byteSize + "; it must be 0 or more");
        }
        if (byteAlignment <= 0 || Long.bitCount(byteAlignment) != 1) {
            throw new IllegalArgumentException("byteAlignment is " + byteAlignment + "; it must be a power of two");
        }
        checkAccess();
        long size = Math.max(1, byteSize);
        long pageSize = locker.pageSize();
        long alignment = Math.max(pageSize, byteAlignment);
        // The C library is asked for as much more as the alignment may cost.
        if (size > Long.MAX_VALUE - pageSize - alignment) {
            throw new OutOfMemoryError("no address space for " + byteSize + " bytes aligned to " + byteAlignment);
        }
        long bytes = (size + pageSize - 1) & -pageSize;
        monitor.lock();
        try {
            MemorySegment cut = cut(size, byteAlignment);
            if (cut == null && bytes == pageSize) {
                use(newSlab(bytes, alignment));
                cut = cut(size, byteAlignment);
            }
            if (cut != null) {
                return cut.asSlice(0, byteSize);
            }
        } finally {
            monitor.unlock();
        }
        MemorySegment pages = newSlab(bytes, alignment);
        monitor.lock();
        try {
            if (pages.byteSize() - size > rest.byteSize() - used) {
                use(pages);
                used = size;
            }
        } finally {
            monitor.unlock();
        }
        return pages.asSlice(0, byteSize);
    }

    private void checkAccess() {
        if (!scope().isAlive()) {
            throw new IllegalStateException("the arena is closed");
        }
        monitor.lock();
        try {
            if (!rest.isAccessibleBy(Thread.currentThread())) {
                throw new WrongThreadException("the arena is confined to a thread other than "
                        + Thread.currentThread().getName() + "; use LockedArena.ofShared");
            }
        } finally {
            monitor.unlock();
        }
    }

    /** Takes a piece of the rest; null if it does not fit. */
    private MemorySegment cut(long size, long alignment) {
        long start = ((rest.address() + used + alignment - 1) & -alignment) - rest.address();
        if (start > rest.byteSize() - size) {
            return null;
        }
        used = start + size;
        return rest.asSlice(start, size);
    }

    private void use(MemorySegment pages) {
        rest = pages;
        used = 0;
    }

    private MemorySegment newSlab(long bytes, long alignment) {
        Slab slab = new Slab(locker, bytes, alignment);
        MemorySegment pages = slab.handOver(arena);
        monitor.lock();
        try {
            slabs.push(slab);
        } finally {
            monitor.unlock();
        }
        return pages;
    }

    /**
     * Reports whether all memory that this arena has handed out is locked. It is, unless the {@link PageLocker#policy} of the locker lets
     * memory be unlocked.
     *
     * @return true if nothing is handed out; false once the arena is closed
     */
    public boolean isLocked() {
        monitor.lock();
        try {
            return scope().isAlive() && slabs.stream().allMatch(Slab::isLocked);
        } finally {
            monitor.unlock();
        }
    }

    @Override
    public MemorySegment.Scope scope() {
        return arena.scope();
    }

    /**
     * Wipes, unlocks and frees the memory of this arena, which nobody can reach from then on.
     *
     * @throws IllegalStateException if the arena is closed, unless memory is left that the system refused to unlock; or if a
     *     native call uses a segment of it at present
     * @throws WrongThreadException if the arena is confined to another thread
     * @throws UnsupportedOperationException if the arena is one of {@link #ofAuto}
     * @throws PageLockException if the system refused to unlock; the memory is wiped and stays allocated, and a further
     *     {@code close} tries again
     */
    @Override
    public void close() {
        monitor.lock();
        try {
            slabs.removeIf(Slab::isReleased);
            if (scope().isAlive() || slabs.isEmpty()) {
                arena.close();
            }
            for (Slab slab : slabs) {
                slab.release();
            }
            slabs.clear();
        } finally {
            monitor.unlock();
        }
    }

    @Override
    public String toString() {
        return "LockedArena[" + arena + "]";
    }
}
