// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import java.util.List;
import java.util.Optional;

/** What in the mappings keeps a range from being locked. The first place is described; addresses are unsigned. */
final class Trouble {
    private Trouble() {}

    static Optional<String> hole(List<MapEntry> entries, long start, long end) {
        long at = start;
        for (MapEntry entry : entries) {
            if (!less(at, entry.end)) {
                continue;
            }
            if (less(at, entry.start)) {
                break;
            }
            at = entry.end;
            if (!less(at, end)) {
                return Optional.empty();
            }
        }
        return Optional.of("nothing is mapped at " + hex(at));
    }

    static Optional<String> unreadable(List<MapEntry> entries, long start, long end, long pageSize) {
        for (MapEntry entry : entries) {
            if (!entry.overlaps(start, end)) {
                continue;
            }
            if (!entry.isAccessible()) {
                return Optional.of(
                        "the pages at " + hex(max(start, entry.start)) + " have neither read nor execute access");
            }
            long last = less(end, entry.end) ? end : entry.end;
            long endOfFile = entry.endOfFile(pageSize);
            if (less(endOfFile, last)) {
                return Optional.of("the mapped file ends at " + hex(endOfFile));
            }
        }
        return Optional.empty();
    }

    /** The bytes of a range that are wired. */
    static long wired(List<MapEntry> entries, long start, long end) {
        long bytes = 0;
        for (MapEntry entry : entries) {
            if (entry.isUserWired() && entry.overlaps(start, end)) {
                bytes += (less(end, entry.end) ? end : entry.end) - max(start, entry.start);
            }
        }
        return bytes;
    }

    static boolean less(long a, long b) {
        return Long.compareUnsigned(a, b) < 0;
    }

    static long max(long a, long b) {
        return less(a, b) ? b : a;
    }

    static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }
}
