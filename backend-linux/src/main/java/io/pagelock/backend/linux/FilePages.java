// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.Reason;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.support.Refusals;
import io.pagelock.spi.Unsigned;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Reads in what comes from files before it is locked. mlock(2) retries a block that cannot be read without end (Linux 6.18;
 * filemap_fault() in mm/filemap.c gives the lock of the memory map back for reading, and populate_vma_page_range() in mm/gup.c
 * takes that for no progress), where madvise with MADV_POPULATE_READ, 5.14 and later, answers EFAULT.
 *
 * <p>The mappings that were found are remembered for a moment. A file that comes to lie there meanwhile is locked without being read
 * in first, as on kernels without that advice.
 */
final class FilePages {
    /** The least and the most that is read in by one call, powers of two, and how long one should take. */
    private static final long LEAST = 256 << 10;

    private static final long MOST = 16 << 20;
    private static final long QUICK_NANOS = 2_000_000;
    private static final long SLOW_NANOS = 8_000_000;

    private static final int SLOTS = 64;
    private static final int SLOT_SHIFT = 21;
    private static final long REMEMBERED_NANOS = 100_000_000;

    private static final Known NOTHING = new Known(0, 0, false, 0);

    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final ProcSelf proc;
    private final MappingQuery query;
    private final Refusals refusals;
    private final boolean populates;
    /** By address, since small locks are many. */
    private final AtomicReferenceArray<Known> known = new AtomicReferenceArray<>(SLOTS);
    /** For a large range, which is read in piece by piece. */
    private volatile Known last = NOTHING;
    /** What was read in since the last lock: a step of a large range is read in piece by piece, and then locked. */
    private volatile Known ready = NOTHING;

    private volatile long piece = LEAST;

    /** A mapping that was found. */
    private static final class Known {
        final long start;
        final long end;
        final boolean ofFile;
        private final long since;

        Known(long start, long end, boolean ofFile, long since) {
            this.start = start;
            this.end = end;
            this.ofFile = ofFile;
            this.since = since;
        }

        boolean isFresh(long now) {
            return now - since < REMEMBERED_NANOS;
        }

        boolean covers(long address) {
            return !Unsigned.less(address, start) && Unsigned.less(address, end);
        }

        boolean covers(long from, long to) {
            return !Unsigned.less(from, start) && !Unsigned.less(end, to);
        }
    }

    /**
     * @param populates whether the kernel knows MADV_POPULATE_READ
     */
    FilePages(
            LinuxCalls calls,
            LinuxConstants constants,
            ProcSelf proc,
            MappingQuery query,
            Refusals refusals,
            boolean populates) {
        this.calls = calls;
        this.constants = constants;
        this.proc = proc;
        this.query = query;
        this.refusals = refusals;
        this.populates = populates;
    }

    /** Reads in all files of a range, unless that was just done; throws if a page cannot be read. */
    void readInAll(long address, long length) {
        Known read = ready;
        if (read != NOTHING && read.covers(address, address + length) && read.isFresh(System.nanoTime())) {
            ready = NOTHING;
        } else {
            readInAll(address, length, false);
        }
    }

    private void readInAll(long address, long length, boolean mayEndBefore) {
        for (long done = 0; done < length; ) {
            done += readIn(address + done, length - done, mayEndBefore);
        }
    }

    /**
     * Reads in every mapped file, as a lock of everything does, which would not return either. What lies past the end of a file
     * is no failure then: mm/gup.c, __mm_populate().
     */
    void readInAllMapped() {
        for (Mapping each : proc.mappings().orElse(Collections.<Mapping>emptyList())) {
            if (each.isKnown() && !each.anonymous() && each.inode != 0 && each.accessible()) {
                readInAll(each.start, each.length(), true);
            }
        }
    }

    /** Reads in a piece at the start of a range, and returns its length. */
    long readIn(long address, long length) {
        return readIn(address, length, false);
    }

    private long readIn(long address, long length, boolean mayEndBefore) {
        if (!populates) {
            return length;
        }
        long begin = System.nanoTime();
        Known mapping = mappingAt(address, begin);
        if (mapping != null && !mapping.ofFile) {
            return Unsigned.min(mapping.end, address + length) - address;
        }
        long most = piece;
        long size = Math.min(length, (address + most & -most) - address);
        if (calls.madvise(address, size, LinuxConstants.MADV_POPULATE_READ) != 0) {
            int errno = calls.errno();
            if (constants.errno.is(errno, "ENOMEM")) {
                // A hole, for which the lock is refused before it reads anything.
                return length;
            }
            if (constants.errno.is(errno, "EFAULT") || constants.errno.is(errno, "EIO")) {
                explain(errno, address, size, mayEndBefore);
            }
        }
        long now = System.nanoTime();
        adapt(size, most, now - begin);
        Known before = ready;
        ready = new Known(before.end == address ? before.start : address, address + size, true, now);
        return size;
    }

    /** What is in the cache goes quickly and is best left whole; on slow storage, each call shall return soon. */
    private void adapt(long size, long most, long nanos) {
        if (nanos > SLOW_NANOS) {
            piece = Math.max(LEAST, most / 2);
        } else if (size == most && nanos < QUICK_NANOS) {
            piece = Math.min(MOST, most * 2);
        }
    }

    /** The mapping at an address, or a file near it; null if there is none, or none can be found. */
    private Known mappingAt(long address, long now) {
        int slot = (int) (address >>> SLOT_SHIFT) & SLOTS - 1;
        Known near = known.get(slot);
        // Beside a file is another one, more often than not, and to read in what is none does no harm.
        if (near != null && near.isFresh(now) && (near.ofFile || near.covers(address))) {
            return near;
        }
        Known found = last;
        if (!found.isFresh(now) || !found.covers(address)) {
            found = query.isUsable() ? byQuery(address, now) : byReading(address, now);
        }
        // An answer about something else is none.
        if (found == null || !found.covers(address)) {
            return null;
        }
        known.lazySet(slot, found);
        last = found;
        return found;
    }

    private Known byQuery(long address, long now) {
        int fd = query.open();
        try {
            MappingQuery.Found found = fd < 0 ? null : query.at(fd, address);
            return found == null ? null : new Known(found.start, found.end, found.ofFile(), now);
        } finally {
            query.close(fd);
        }
    }

    private Known byReading(long address, long now) {
        Optional<List<Mapping>> mappings = proc.mappings(address, address + 1);
        if (!mappings.isPresent() || mappings.get().isEmpty()) {
            return null;
        }
        Mapping found = mappings.get().get(0);
        return new Known(found.start, found.end, !found.anonymous(), now);
    }

    /**
     * Throws if it was the file that failed: neither memory without access nor what lies past the end of the file.
     *
     * @param mayEndBefore whether a file whose length is unknown, as that of a deleted one, may end before the page
     */
    private void explain(int errno, long address, long length, boolean mayEndBefore) {
        for (Mapping each : proc.mappings(address, address + length).orElse(Collections.<Mapping>emptyList())) {
            Mapping part = each.clip(address, address + length);
            if (!part.isKnown() || !part.permissions().startsWith("r") || part.anonymous()) {
                continue;
            }
            Optional<ProcFiles.FileFacts> file = proc.file(each);
            if (mayEndBefore && !file.isPresent()) {
                continue;
            }
            long inFile = file.isPresent() ? Math.max(0, file.get().size - part.offset) : part.length();
            long pageSize = calls.getpagesize();
            long readable = Math.min(part.length(), inFile + pageSize - 1 & -pageSize);
            if (readable > 0
                    && calls.madvise(part.start, readable, LinuxConstants.MADV_POPULATE_READ) != 0
                    && constants.errno.is(calls.errno(), "EFAULT")) {
                if (proc.isOutOfSpace(each, pageSize)) {
                    throw refusals.of(Reason.NO_SPACE, "madvise", errno, LinuxFailure.noRoomFor(part));
                }
                String where = "a page of " + part + " cannot be read in from the file";
                throw file.isPresent()
                        ? refusals.of(Reason.IO_ERROR, "madvise", errno, where + ", and it lies within it")
                        : refusals.of(
                                Reason.CANNOT_BE_PAGED_IN,
                                "madvise",
                                errno,
                                where + "; the file may end before it (its size cannot be read)");
            }
        }
    }
}
