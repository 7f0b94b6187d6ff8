// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.function.Consumer;

/** Whole pages that are locked, and wiped before they are unlocked and freed. */
final class Slab {
    private static final Cleaner LOST = Cleaner.create();

    /** Shared, since a lost arena is ended by another thread. */
    private final Arena memory = Arena.ofShared();

    private final MemorySegment pages;
    private final PageLock lock;
    private boolean released;

    /**
     * Allocates and locks pages. A failure leaves nothing allocated and nothing locked.
     *
     * @param bytes a multiple of the page size
     * @param alignment the page size or more
     */
    Slab(PageLocker locker, long bytes, long alignment) {
        try {
            pages = memory.allocate(bytes, alignment);
            lock = locker.lock(MemorySegments.rangeOf(pages));
        } catch (Throwable failure) {
            memory.close();
            throw failure;
        }
    }

    /**
     * Gives the pages the lifetime of an arena: they are released when it is closed, or when nobody can reach it anymore.
     *
     * @throws IllegalStateException if the arena is closed; the pages are released
     */
    @SuppressWarnings("restricted")
    MemorySegment handOver(Arena arena) {
        try {
            Ending ending = new Ending(this);
            MemorySegment handedOver = pages.reinterpret(arena, ending);
            // The arena keeps its cleanup actions reachable, and so do its segments. A scope may be a new object at
            // each call.
            LOST.register(ending, this::release);
            return handedOver;
        } catch (Throwable failure) {
            release();
            throw failure;
        }
    }

    private record Ending(Slab slab) implements Consumer<MemorySegment> {
        @Override
        public void accept(MemorySegment ignored) {
            try {
                slab.release();
            } catch (RuntimeException e) {
                // Wiped all the same. LockedArena.close tries again and throws what it gets.
            }
        }
    }

    boolean isLocked() {
        return lock.isValid();
    }

    synchronized boolean isReleased() {
        return released;
    }

    /** Wipes, unlocks and frees the pages. When it throws, they are wiped and stay allocated, and it can be called again. */
    synchronized void release() {
        if (!released) {
            pages.fill((byte) 0);
            lock.close();
            memory.close();
            released = true;
        }
    }
}
