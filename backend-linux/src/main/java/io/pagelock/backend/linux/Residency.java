// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.Tristate;

/**
 * What mincore(2) and {@code /proc/self/pagemap}, proc_pid_pagemap(5), say together of the pages of one mapping. mincore
 * counts a page of a file that is in memory but not in this process's page table; pagemap knows only the latter.
 */
final class Residency {
    private static final long PRESENT = 1L << 63;
    private static final long SWAPPED = 1L << 62;

    private final byte[] vector;
    private final long[] pagemap;
    private final boolean truthful;

    /**
     * @param vector the answer of mincore, or null
     * @param pagemap the entries of pagemap, or null
     * @param truthful whether a yes of mincore can be believed
     */
    Residency(byte[] vector, long[] pagemap, boolean truthful) {
        this.vector = vector;
        this.pagemap = pagemap;
        this.truthful = truthful;
    }

    /**
     * User-mode emulators of a processor with the other byte order hand the host's entries through. An entry that is neither
     * present nor swapped has no bits where the reverse of a present one has its own, and mincore says what is swapped out.
     */
    private boolean inPageTable(int page) {
        long entry = pagemap[page];
        return (entry & PRESENT) != 0
                || truthful && vector != null && (vector[page] & 1) != 0 && (Long.reverseBytes(entry) & PRESENT) != 0;
    }

    Tristate resident(int page) {
        if (pagemap != null && inPageTable(page)) {
            return Tristate.YES;
        }
        if (vector == null) {
            return Tristate.UNKNOWN;
        }
        if ((vector[page] & 1) == 0) {
            return Tristate.NO;
        }
        return truthful ? Tristate.YES : Tristate.UNKNOWN;
    }

    /** Whether {@link #lockedIfFlagged} needs its second argument, which is slow to find. */
    boolean needsKindOfLock() {
        return pagemap == null;
    }

    /**
     * Whether a page of a mapping that is flagged as locked is locked: it is once it is in the page table.
     *
     * @param untold the answer if pagemap cannot be read and mincore says that the page is resident
     */
    Tristate lockedIfFlagged(int page, Tristate untold) {
        if (pagemap != null) {
            if (inPageTable(page)) {
                return Tristate.YES;
            }
            // A page that is being moved in memory shows as swapped; it is locked, but cannot be told from a swapped
            // one.
            return (pagemap[page] & SWAPPED) != 0 && resident(page) != Tristate.NO ? Tristate.UNKNOWN : Tristate.NO;
        }
        return resident(page) == Tristate.NO ? Tristate.NO : untold;
    }
}
