// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Remembers which pages belong to no file, each for as long as handles hold it. Where a page is locked again and again, that saves
 * the later locks: only a file can be truncated under its lock. To find out takes three calls, so a page is asked about when it has
 * been locked twice within another lock. Locks that were refused do not count: what lies there now may be flagged as locked and not
 * be in memory, as what was mapped under future locking without access.
 *
 * <p>A page that is found to be locked is still the one that was asked about: the lock of memory ends when it is unmapped, and a
 * handle's lock of other memory there has it forgotten first. Locked memory that the program itself moves or maps there is not
 * noticed (mremap, MAP_LOCKED).
 */
final class AnonymousPages {
    private static final int SLOTS = 1024;
    /** How often a page was locked within another lock; then come the answers. */
    private static final int ASKED_AFTER = 2;

    private static final int OF_NO_FILE = 3;

    private static final int OF_FILE = 4;

    private final MappingQuery query;
    private final long pageSize;
    /** Addresses of pages, with what is known of each in the low bits. */
    private final AtomicLongArray pages = new AtomicLongArray(SLOTS);

    AnonymousPages(MappingQuery query, long pageSize) {
        this.query = query;
        this.pageSize = pageSize;
    }

    private int slot(long page) {
        return (int) (page / pageSize) & SLOTS - 1;
    }

    /** Forgets the pages of a range that is going to be locked. */
    void forget(long address, long length) {
        long count = Math.min(length / pageSize, SLOTS);
        for (long i = 0; i < count; i++) {
            long page = address + i * pageSize;
            int slot = slot(page);
            if ((pages.get(slot) & -pageSize) == page || count == SLOTS) {
                pages.set(slot, 0);
            }
        }
    }

    /** Notes that a page was locked within another lock, and so was in memory. */
    void locked(long page) {
        int known = known(page);
        if (known < ASKED_AFTER) {
            pages.set(slot(page), page + known + 1);
        }
    }

    /** Reports whether a page that handles hold, and that is locked, is known to belong to no file. */
    boolean contains(long page) {
        int known = known(page);
        if (known == ASKED_AFTER) {
            known = isOfNoFile(page) ? OF_NO_FILE : OF_FILE;
            pages.set(slot(page), page + known);
        }
        return known == OF_NO_FILE;
    }

    private int known(long page) {
        long found = pages.get(slot(page));
        return (found & -pageSize) == page ? (int) (found - page) : 0;
    }

    private boolean isOfNoFile(long page) {
        if (!query.isUsable()) {
            return false;
        }
        int fd = query.open();
        try {
            MappingQuery.Found found = fd < 0 ? null : query.at(fd, page);
            return found != null && !found.ofFile();
        } finally {
            query.close(fd);
        }
    }
}
