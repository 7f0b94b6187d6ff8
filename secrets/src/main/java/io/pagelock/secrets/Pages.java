// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.MemoryGuard;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * Whole pages within a direct buffer, locked and guarded as far as possible. The buffer goes back to the C library, so every
 * guard is ended before it does.
 */
final class Pages {
    private static final String LOST = "the system refused to lock it again when an address-space lock ended";

    /** What is undone at the end, in this order. */
    private static final Protection[] GUARDS = {
        Protection.GUARD_PAGES, Protection.NOT_INHERITED, Protection.NOT_DUMPED, Protection.SECRET_MEMORY
    };

    /**
     * The first of those that are locked or guarded. They are kept reachable until that has ended: the C library must not get their
     * memory back before. In a list, since an end must need no memory.
     */
    private static Pages first;

    private Pages previous;
    private Pages next;

    private final Recipe recipe;
    private final ByteBuffer block;
    private final int length;
    /** The address of the first page. */
    private final long address;

    private final int offset;
    private final Set<Protection> kept = EnumSet.of(Protection.WIPED_ON_CLOSE);
    /** Those that may have been begun. */
    private final Set<Protection> begun = EnumSet.noneOf(Protection.class);

    private final Map<Protection, String> failures = new EnumMap<>(Protection.class);
    private PageLock lock;
    /** The kernel unmapped the pages, and they could not be had again. Nothing was written to them. */
    private boolean gone;

    /**
     * Allocates pages. When it throws, nothing is allocated, locked or guarded.
     *
     * @param length a multiple of the page size
     * @throws PageLockException if the system refused something that is required
     */
    Pages(Recipe recipe, int length) {
        this.recipe = recipe;
        this.length = length;
        int page = recipe.pageSize;
        // A page to align, and one on either side.
        block = ByteBuffer.allocateDirect(Math.addExact(length, 3 * page));
        long start = recipe.locker.rangeOf(block).address();
        address = ((start + page - 1) & -page) + page;
        offset = (int) (address - start);
        retain(this);
        try {
            // Secret memory takes the place of the pages, so it comes before everything that is done to them.
            guard(Protection.SECRET_MEMORY);
            lock();
            guard(Protection.NOT_DUMPED);
            guard(Protection.NOT_INHERITED);
            guard(Protection.GUARD_PAGES);
        } catch (Throwable failure) {
            release();
            throw failure;
        }
    }

    private void lock() {
        if (kept.contains(Protection.SECRET_MEMORY)) {
            kept.add(Protection.LOCKED);
        } else if (recipe.wanted.contains(Protection.LOCKED)) {
            try {
                lock = recipe.locker.lock(MemoryRange.of(address, length, block));
                if (lock.failure().isPresent()) {
                    throw lock.failure().get();
                }
                kept.add(Protection.LOCKED);
            } catch (PageLockException e) {
                refused(Protection.LOCKED, e);
            }
        }
    }

    private void guard(Protection protection) {
        if (!recipe.wanted.contains(protection)) {
            return;
        }
        MemoryGuard guard = Recipe.guardOf(protection);
        if (recipe.guarding == null || !recipe.guarding.guards().contains(guard)) {
            missing(protection, "the backend for this system does not support it");
            return;
        }
        begun.add(protection);
        try {
            if (protection == Protection.GUARD_PAGES) {
                recipe.guarding.guard(address - recipe.pageSize, recipe.pageSize, guard);
                recipe.guarding.guard(address + length, recipe.pageSize, guard);
            } else {
                recipe.guarding.guard(address, length, guard);
            }
            kept.add(protection);
        } catch (PageLockException e) {
            if (!unguard(protection) && protection == Protection.SECRET_MEMORY) {
                // The pages may be missing, or another's by now.
                gone = true;
                throw e;
            }
            refused(protection, e);
        }
    }

    private void missing(Protection protection, String why) {
        if (recipe.required.contains(protection)) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail(protection + " is required: " + why)
                    .build();
        }
        failures.put(protection, why);
    }

    private void refused(Protection protection, PageLockException refusal) {
        if (recipe.required.contains(protection)) {
            throw refusal.toBuilder()
                    .detail(protection + " is required" + (refusal.detail().isEmpty() ? "" : "; " + refusal.detail()))
                    .build();
        }
        failures.put(protection, refusal.getMessage());
    }

    /** The bytes; position and limit never change. */
    ByteBuffer block() {
        return block;
    }

    /** Where in the block the pages begin. */
    int offset() {
        return offset;
    }

    int length() {
        return length;
    }

    boolean keeps(Protection protection) {
        return kept.contains(protection) && !(protection == Protection.LOCKED && isLost());
    }

    /** Whether the lock was lost since: the end of an address-space lock may leave pages unlocked. */
    private boolean isLost() {
        PageLock held = lock;
        return kept.contains(Protection.LOCKED) && held != null && !held.isValid();
    }

    /** Why something is not kept that was wanted; null if it was not. */
    String failure(Protection protection) {
        return protection == Protection.LOCKED && isLost() ? LOST : failures.get(protection);
    }

    void wipe(int from, int count) {
        int at = from;
        for (; at + 8 <= from + count; at += 8) {
            block.putLong(at, 0);
        }
        for (; at < from + count; at++) {
            block.put(at, (byte) 0);
        }
    }

    /**
     * Wipes and unlocks the pages, and lets the collector have the block. What the system refuses then is left as it is, and the
     * block is kept for good. Throws nothing and needs no memory.
     */
    void release() {
        if (!gone) {
            wipe(offset, length);
        }
        boolean ended = unlock();
        for (Protection each : GUARDS) {
            ended &= !begun.contains(each) || unguard(each);
        }
        if (ended) {
            forget(this);
        }
    }

    private boolean unlock() {
        PageLock held = lock;
        // If the close fails, the reaper of core tries again, once nobody has the handle.
        lock = null;
        try {
            if (held != null) {
                held.close();
            }
            return true;
        } catch (RuntimeException | Error e) {
            return false;
        }
    }

    private boolean unguard(Protection protection) {
        MemoryGuard guard = Recipe.guardOf(protection);
        try {
            if (protection == Protection.GUARD_PAGES) {
                recipe.guarding.unguard(address - recipe.pageSize, recipe.pageSize, guard);
                recipe.guarding.unguard(address + length, recipe.pageSize, guard);
            } else {
                recipe.guarding.unguard(address, length, guard);
            }
            return true;
        } catch (RuntimeException | Error e) {
            return false;
        }
    }

    private static synchronized void retain(Pages pages) {
        pages.next = first;
        if (first != null) {
            first.previous = pages;
        }
        first = pages;
    }

    private static synchronized void forget(Pages pages) {
        if (pages.previous != null) {
            pages.previous.next = pages.next;
        } else if (first == pages) {
            first = pages.next;
        }
        if (pages.next != null) {
            pages.next.previous = pages.previous;
        }
        pages.previous = null;
        pages.next = null;
    }
}
