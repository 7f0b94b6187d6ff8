// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Remembers which pages belong to no file, each for as long as handles hold it. Where a page is locked again and again, that saves
 * the later locks: only a file can be truncated under its lock. To find out takes three calls, so a page is asked about when it is
 * locked for the third time within another lock.
 *
 * <p>A page that is found to be locked is still the one that was asked about: the lock of memory ends when it is unmapped, and
 * whoever locks other memory there has it forgotten first.
 */
final class AnonymousPages {
    private static final int SLOTS = 1024;
    private static final int ASKED_AT = 3;

    /** Of a page, how often it was asked about, up to {@link #ASKED_AT}; from there on whether it is of a file. */
    private static final int OF_NO_FILE = 4;

    private static final int OF_FILE = 5;

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

    /** Reports whether a page that handles hold, and that is locked, is known to belong to no file. */
    boolean contains(long page) {
        int slot = slot(page);
        long before = pages.get(slot);
        int known = (before & -pageSize) == page ? (int) (before - page) : 0;
        if (known < ASKED_AT) {
            known++;
            if (known == ASKED_AT) {
                known = isOfNoFile(page) ? OF_NO_FILE : OF_FILE;
            }
            pages.set(slot, page + known);
        }
        return known == OF_NO_FILE;
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
