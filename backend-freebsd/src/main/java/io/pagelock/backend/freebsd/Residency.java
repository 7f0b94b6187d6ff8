// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.MINCORE_INCORE;

import io.pagelock.Tristate;
import io.pagelock.spi.Unsigned;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BiConsumer;

/**
 * Asks mincore(2) which pages are in memory. It gives the map's lock up for each page, and if another thread has changed the
 * map then, it zeroes what it has reported already, or fails (sys/vm/vm_mmap.c, kern_mincore). So a page that it reports once
 * is resident, and one that it does not is absent only if all answers are the same, and not if it knows no more than the page
 * table.
 */
final class Residency {
    /** How many pages to ask for in one call: so few that the map seldom changes meanwhile. */
    private static final int PAGES = 256;
    /** How often to ask for pages that are not reported. */
    private static final int CALLS = 3;

    /** Receives what is known of a page. */
    interface Answer {
        /**
         * Receives it.
         *
         * @param isSure whether a page that is not reported was reported missing by every answer
         * @return whether to go on
         */
        boolean accept(long address, boolean isReported, boolean isSure);
    }

    private final FreeBsdCalls calls;
    private final KernelState kernel;

    Residency(FreeBsdCalls calls, KernelState kernel) {
        this.calls = calls;
        this.kernel = kernel;
    }

    /** Asks for each page of a range whether it is in memory. */
    void states(long start, long end, BiConsumer<Long, Tristate> answer) {
        boolean looksBeyond = start != end && kernel.mincoreLooksBeyond();
        ask(start, end, (address, isReported, isSure) -> {
            answer.accept(address, isReported ? Tristate.YES : isSure && looksBeyond ? Tristate.NO : Tristate.UNKNOWN);
            return true;
        });
    }

    private void ask(long start, long end, Answer answer) {
        long pageSize = kernel.pageSize();
        for (long from = start; from != end; ) {
            int pages = (int) Long.divideUnsigned(Unsigned.min(end - from, PAGES * pageSize), pageSize);
            boolean[] reported = new boolean[pages];
            boolean isSure = ask(from, reported);
            for (int i = 0; i < pages; i++) {
                if (!answer.accept(from + i * pageSize, reported[i], isSure)) {
                    return;
                }
            }
            from += pages * pageSize;
        }
    }

    /** Sets those that are reported once; returns whether all answers were the same. */
    private boolean ask(long from, boolean[] reported) {
        boolean same = true;
        byte[] before = null;
        int missing = reported.length;
        for (int call = 0; call < CALLS && missing > 0; call++) {
            byte[] vec = new byte[reported.length];
            if (calls.mincore(from, reported.length * kernel.pageSize(), vec) != 0) {
                // Also where there is a hole, perhaps since the mappings were read.
                same = false;
                continue;
            }
            for (int i = 0; i < vec.length; i++) {
                vec[i] &= MINCORE_INCORE;
                same &= before == null || vec[i] == before[i];
                missing -= vec[i] != 0 && !reported[i] ? 1 : 0;
                reported[i] |= vec[i] != 0;
            }
            before = vec;
        }
        return same;
    }

    /** Returns the first page of a range that every answer reports missing, after a lock that brought in what it could. */
    OptionalLong firstMissing(long start, long end) {
        long[] found = {end};
        ask(start, end, (address, isReported, isSure) -> {
            found[0] = !isReported && isSure ? address : end;
            return isReported;
        });
        return found[0] == end ? OptionalLong.empty() : OptionalLong.of(found[0]);
    }

    /**
     * Returns how many bytes of locked mappings RLIMIT_MEMLOCK counts: the pages that are in the page table. Those without
     * access are not, nor are those that a file or its mapping lost, until they are touched again; the mapping stays locked
     * all the same. Empty if mincore does not tell the one from the other.
     */
    OptionalLong inPageTable(List<MapEntry> entries) {
        long[] bytes = {0};
        boolean[] known = {true};
        boolean looksBeyond = kernel.mincoreLooksBeyond();
        for (MapEntry entry : entries) {
            if (entry.isUserWired() && entry.isAccessible()) {
                ask(entry.start, entry.end, (address, isReported, isSure) -> {
                    bytes[0] += isReported ? kernel.pageSize() : 0;
                    known[0] &= isReported || isSure && !looksBeyond;
                    return known[0];
                });
            }
        }
        return known[0] ? OptionalLong.of(bytes[0]) : OptionalLong.empty();
    }
}
