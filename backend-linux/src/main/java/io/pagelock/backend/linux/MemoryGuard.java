// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.ByteSize;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Refuses what the memory of a control group or of the machine cannot hold, before it is brought in. The kernel does not
 * refuse such a lock: it kills a process, most likely this one. See the kernel's admin-guide, cgroup-v2, memory.max.
 *
 * <p>To whom pages in the cache of files are charged, nobody says. So a large range is looked at ahead as if they were others',
 * and again at each step: what was locked by then shows in the group as locked or does not.
 */
final class MemoryGuard {
    /** Least and most that is locked without looking again. */
    private static final long LEAST = 256 << 10;

    private static final long MOST = 1 << 30;

    /** For so long a large range relies on an earlier look. Later, the program may have used up what was found. */
    private static final long FRESH_NANOS = 100_000_000;

    private static final int PAGES_AT_ONCE = 1 << 14;

    /** Bits of pagemap: present, and a page of a file or shared. */
    private static final long PRESENT = 1L << 63;

    private static final long NOT_OWN = 1L << 61;

    private final LinuxCalls calls;
    private final ProcSelf proc;
    private final LinuxLimits limits;
    private final long pageSize;
    private final AtomicLong unlooked = new AtomicLong(LEAST);
    private volatile long lookedAt = System.nanoTime() - FRESH_NANOS;

    MemoryGuard(LinuxCalls calls, ProcSelf proc, LinuxLimits limits, long pageSize) {
        this.calls = calls;
        this.proc = proc;
        this.limits = limits;
        this.pageSize = pageSize;
    }

    /** Checks a lock that is about to be made; looks only once for as many small ones as there is plenty of room for. */
    void beforeLock(long address, long length) {
        if (unlooked.addAndGet(-length) < 0) {
            found(check(address, length, true));
        }
    }

    /**
     * Checks what is about to be read in and then locked. Of the cache, the kernel drops what has just been mapped last of all, so that
     * a group which is nearly full is out of memory sooner than the lock.
     */
    void beforeReadIn(long address, long length) {
        if (unlooked.get() < length) {
            found(check(address, length, true));
        }
    }

    /** Checks a large range ahead, and only refuses what cannot fit whosever the cache is. */
    void check(long address, long length) {
        if (unlooked.get() < length || System.nanoTime() - lookedAt >= FRESH_NANOS) {
            found(check(address, length, false));
        }
    }

    private void found(long room) {
        lookedAt = System.nanoTime();
        unlooked.set(Math.max(LEAST, Math.min(MOST, room / 8)));
    }

    /** Checks a lock of everything that is mapped. */
    void checkAll() {
        check(0, -1, false);
    }

    /** Returns the least room of all limits, in bytes; or throws. */
    private long check(long address, long length, boolean now) {
        List<MemoryUse> all = limits.memory();
        long room = Long.MAX_VALUE;
        for (MemoryUse each : all) {
            room = Math.min(room, each.mostRoom());
        }
        if (length < 0 || withTables(length) > room) {
            Pages pages = look(address, length, now);
            List<MemoryUse> tight = new ArrayList<>();
            for (MemoryUse each : all) {
                // Those in the cache must stay, once they are locked or while the others are brought in.
                long cached = now || each.isMachine() ? Math.min(pages.cached, each.files) : 0;
                boolean takes = pages.missing > 0 || now && (length >= LEAST || pages.cached > 0);
                if (takes && withTables(pages.missing) + cached > each.mostRoom()) {
                    tight.add(each);
                }
            }
            if (!tight.isEmpty()) {
                throw refusal(tight, length < 0 ? pages.missing + pages.cached : length, pages.missing);
            }
        }
        return room;
    }

    /** Page tables are charged, too, and the kernel charges for each processor up to 64 pages ahead. */
    static long withTables(long bytes) {
        return bytes + bytes / 512 + Math.min(512 << 10, bytes / 8);
    }

    private PageLockException refusal(List<MemoryUse> tight, long length, long missing) {
        MemoryUse first = tight.get(0);
        return PageLockException.because(Reason.NO_LOCKABLE_MEMORY)
                .detail("asked for " + ByteSize.format(length) + ", of which " + ByteSize.format(missing)
                        + " are not in memory yet; the " + first.name + " is limited to " + first.limit
                        + (first.file.isEmpty() ? "" : " (" + first.file + ")") + ", of which "
                        + ByteSize.format(first.kept)
                        + " are in use or needed to keep running. Beyond the limit the kernel would kill a process")
                .remedies(MemoryRemedies.of(tight, missing))
                .build();
    }

    /** How much of a range is in memory, in bytes; only what is certain counts. */
    private static final class Pages {
        long missing;
        /** In memory, and of a file. */
        long cached;
    }

    private Pages look(long address, long length, boolean now) {
        Optional<List<Mapping>> flagged = proc.flagged(address, address + length);
        Optional<List<Mapping>> mappings =
                flagged.isPresent() && !flagged.get().isEmpty() ? flagged : proc.mappings(address, address + length);
        Pages pages = new Pages();
        for (Mapping each : mappings.orElseGet(ArrayList::new)) {
            Mapping part = each.clip(address, address + length);
            // Memory of devices and of hugetlbfs is not charged.
            if (part.isKnown() && !part.has("io") && !part.has("pf") && !part.has("ht") && part.accessible()) {
                look(part, pages, now);
            }
        }
        return pages;
    }

    private void look(Mapping part, Pages pages, boolean now) {
        boolean copied = part.copiesWhenWritten() && !part.anonymous();
        for (long at = part.start; at != part.end; ) {
            int count = (int) Math.min(PAGES_AT_ONCE, (part.end - at) / pageSize);
            if (copied) {
                uncopied(at, count, pages);
            } else {
                absent(part, at, count, pages, now);
            }
            at += count * pageSize;
        }
    }

    /** Locking a private and writable mapping of a file makes a copy of each page that has none: mm/gup.c. */
    private void uncopied(long address, int count, Pages pages) {
        for (long entry :
                proc.pagemap(Long.divideUnsigned(address, pageSize), count).orElse(new long[0])) {
            pages.missing += (entry & PRESENT) == 0 || (entry & NOT_OWN) != 0 ? pageSize : 0;
        }
    }

    private void absent(Mapping part, long address, int count, Pages pages, boolean now) {
        byte[] vector = new byte[count];
        if (calls.mincore(address, count * pageSize, vector) != 0) {
            return;
        }
        int missing = 0;
        for (byte each : vector) {
            missing += (each & 1) == 0 ? 1 : 0;
        }
        // Of a file of others it says that every page is there: mm/mincore.c, can_do_mincore().
        if (missing == 0 && now && !part.anonymous() && proc.ownsEveryFile(proc.status()) != Tristate.YES) {
            missing = count;
        }
        pages.missing += missing * pageSize;
        pages.cached += part.anonymous() ? 0 : (count - missing) * pageSize;
    }
}
