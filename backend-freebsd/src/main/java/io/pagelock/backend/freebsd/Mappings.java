// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.CTL_KERN;
import static io.pagelock.backend.freebsd.FreeBsdConstants.ENOMEM;
import static io.pagelock.backend.freebsd.FreeBsdConstants.KERN_PROC;
import static io.pagelock.backend.freebsd.FreeBsdConstants.KERN_PROC_VMMAP;

import io.pagelock.MemoryRange;
import io.pagelock.spi.RangeSet;
import io.pagelock.spi.Unsigned;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Reads the mappings of this process. What cannot be read, or does not stand still for a look, is empty. */
final class Mappings {
    private static final int ATTEMPTS = 5;
    /** How often the room for the records is doubled. */
    private static final int ROOMS = 16;

    private final FreeBsdCalls calls;
    private final long pageSize;
    /** How long the records were the last time. A guess, so threads may overwrite each other's. */
    private volatile long recordLength = 1 << 16;

    Mappings(FreeBsdCalls calls, long pageSize) {
        this.calls = calls;
        this.pageSize = pageSize;
    }

    /** Returns all, in the order of their addresses. */
    Optional<List<MapEntry>> all() {
        return settled(entry -> true, RangeSet.empty());
    }

    /** Returns those that are locked. */
    Optional<List<MapEntry>> wired() {
        return settled(MapEntry::isUserWired, RangeSet.empty());
    }

    /** Returns those of a range, and where they leave a gap in it nothing is mapped. */
    Optional<List<MapEntry>> of(MemoryRange range) {
        return settled(entry -> entry.overlaps(range.address(), range.end()), RangeSet.of(range));
    }

    /** Returns those of a range, as above, and what is locked anywhere. */
    Optional<List<MapEntry>> ofAndWired(MemoryRange range) {
        return settled(
                entry -> entry.isUserWired() || entry.overlaps(range.address(), range.end()), RangeSet.of(range));
    }

    /**
     * Reads the mappings until what is wanted of them is twice the same. The kernel gives the map's lock up after each, and
     * those that another thread has merged with it by then are missing (sys/kern/kern_proc.c, kern_proc_vmmap_out).
     */
    private Optional<List<MapEntry>> settled(Predicate<MapEntry> wanted, RangeSet range) {
        List<MapEntry> before = null;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Optional<List<MapEntry>> read = read();
            if (!read.isPresent()) {
                return read;
            }
            List<MapEntry> entries = read.get().stream().filter(wanted).collect(Collectors.toList());
            if (before != null && areSame(entries, before) && areHoles(range.subtract(rangeSet(entries)))) {
                return Optional.of(entries);
            }
            before = entries;
        }
        return Optional.empty();
    }

    private static boolean areSame(List<MapEntry> some, List<MapEntry> others) {
        boolean same = some.size() == others.size();
        for (int i = 0; same && i < some.size(); i++) {
            same = some.get(i).isAs(others.get(i));
        }
        return same;
    }

    /** Reports whether nothing is mapped where the mappings leave a gap, since the same may be missing twice. */
    private boolean areHoles(RangeSet gaps) {
        for (int i = 0; i < gaps.size(); i++) {
            if (!isHole(gaps.start(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean isHole(long address) {
        for (int attempt = 0; attempt < 2; attempt++) {
            // Fails for a page that is mapped, too, if the map changes at the last moment.
            if (calls.mincore(address, pageSize, new byte[1]) == 0 || calls.errno() != ENOMEM) {
                return false;
            }
        }
        return true;
    }

    /** Reads them in one walk through the map, which is long, with room for half as many again as there were the last time. */
    Optional<List<MapEntry>> read() {
        int[] name = {CTL_KERN, KERN_PROC, KERN_PROC_VMMAP, calls.getpid()};
        long room = recordLength + recordLength / 2 + 4096;
        for (int attempt = 0; attempt < ROOMS && room <= Integer.MAX_VALUE - 8; attempt++, room *= 2) {
            byte[] records = new byte[(int) room];
            long[] length = {room};
            if (calls.sysctl(name, name.length, records, length, 0, 0) == 0) {
                Optional<List<MapEntry>> entries = MapEntry.parse(records, length[0], pageSize);
                recordLength = entries.isPresent() ? length[0] : recordLength;
                return entries;
            }
            if (calls.errno() != ENOMEM) {
                return Optional.empty();
            }
        }
        return Optional.empty();
    }

    /** Returns the addresses of mappings; of page 0, address 0 is left out, which no range holds. */
    static RangeSet rangeSet(List<MapEntry> entries) {
        RangeSet.Builder all = RangeSet.builder();
        for (MapEntry entry : entries) {
            all.add(Unsigned.max(entry.start, 1), entry.end);
        }
        return all.build();
    }

    /** Returns how many bytes of a range are locked. */
    static long wired(List<MapEntry> entries, long start, long end) {
        long bytes = 0;
        for (MapEntry entry : entries) {
            if (entry.isUserWired() && entry.overlaps(start, end)) {
                bytes += Unsigned.min(end, entry.end) - Unsigned.max(start, entry.start);
            }
        }
        return bytes;
    }

    static long bytes(List<MapEntry> entries) {
        long bytes = 0;
        for (MapEntry entry : entries) {
            bytes += entry.end - entry.start;
        }
        return bytes < 0 ? Long.MAX_VALUE : bytes;
    }
}
