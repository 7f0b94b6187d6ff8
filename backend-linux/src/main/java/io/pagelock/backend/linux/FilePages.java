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
 * <p>Most memory that is locked is not of a file, so what was found to be plain is remembered for a moment. A file that comes to
 * lie there meanwhile is locked without being read in first, as on kernels without that advice.
 */
final class FilePages {
    private static final long PIECE = 256 << 10;

    private static final int SLOTS = 64;
    private static final int SLOT_SHIFT = 21;
    private static final long REMEMBERED_NANOS = 100_000_000;

    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final ProcSelf proc;
    private final MappingQuery query;
    private final Refusals refusals;
    private final boolean populates;
    private final AtomicReferenceArray<Plain> plain = new AtomicReferenceArray<>(SLOTS);

    /** Memory that did not come from a file. */
    private static final class Plain {
        final long start;
        final long end;
        final long at;

        Plain(long start, long end, long at) {
            this.start = start;
            this.end = end;
            this.at = at;
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

    /** Reads in all files of a range; throws if a page cannot be read. */
    void readInAll(long address, long length) {
        readInAll(address, length, false);
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
        long end = plainUntil(address);
        if (end != address) {
            return Unsigned.min(end, address + length) - address;
        }
        long piece = Math.min(length, (address + PIECE & -PIECE) - address);
        if (calls.madvise(address, piece, LinuxConstants.MADV_POPULATE_READ) != 0) {
            int errno = calls.errno();
            if (constants.errno.is(errno, "ENOMEM")) {
                // A hole, for which the lock is refused before it reads anything.
                return length;
            }
            if (constants.errno.is(errno, "EFAULT") || constants.errno.is(errno, "EIO")) {
                explain(errno, address, piece, mayEndBefore);
            }
        }
        return piece;
    }

    /** Returns where memory ends that starts at an address and does not come from a file; the address itself if it does. */
    private long plainUntil(long address) {
        int slot = (int) (address >>> SLOT_SHIFT) & SLOTS - 1;
        Plain known = plain.get(slot);
        if (known != null
                && !Unsigned.less(address, known.start)
                && Unsigned.less(address, known.end)
                && System.nanoTime() - known.at < REMEMBERED_NANOS) {
            return known.end;
        }
        Plain found = query.isUsable() ? byQuery(address) : byReading(address);
        if (found == null) {
            return address;
        }
        plain.lazySet(slot, found);
        return found.end;
    }

    private Plain byQuery(long address) {
        int fd = query.open();
        try {
            MappingQuery.Found found = fd < 0 ? null : query.at(fd, address);
            return found == null || found.ofFile() ? null : new Plain(found.start, found.end, System.nanoTime());
        } finally {
            query.close(fd);
        }
    }

    private Plain byReading(long address) {
        Optional<List<Mapping>> mappings = proc.mappings(address, address + 1);
        if (!mappings.isPresent()
                || mappings.get().isEmpty()
                || !mappings.get().get(0).anonymous()) {
            return null;
        }
        Mapping found = mappings.get().get(0);
        return new Plain(found.start, found.end, System.nanoTime());
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
