// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.linux.proc.Mapping;
import java.util.List;
import java.util.Optional;

/**
 * Brings pages in for several threads that share a large range, in the way in which mlock does it, which breaks copies of
 * private memory and dirties no file: mm/gup.c. It pays where the processor has to zero or copy.
 */
final class SideBySide {
    private final LinuxCalls calls;
    private final MappingQuery query;
    private final ProcSelf proc;

    SideBySide(LinuxCalls calls, MappingQuery query, ProcSelf proc) {
        this.calls = calls;
        this.query = query;
        this.proc = proc;
    }

    /** Returns false if it does not pay, or failed. */
    boolean pageIn(long address, long length) {
        int fd = query.isUsable() ? query.open() : -1;
        try {
            return fd < 0 ? byReading(address, length) : byQuery(fd, address, length);
        } finally {
            query.close(fd);
        }
    }

    private boolean byQuery(int fd, long address, long length) {
        for (long at = address; at != address + length; ) {
            MappingQuery.Found mapping = query.at(fd, at);
            if (mapping == null) {
                return false;
            }
            long part = Math.min(mapping.end - at, address + length - at);
            if (!pageIn(at, part, mapping.copiesWhenWritten(), mapping.onDisk())) {
                return false;
            }
            at += part;
        }
        return true;
    }

    private boolean byReading(long address, long length) {
        Optional<List<Mapping>> mappings = proc.mappings(address, address + length);
        if (!mappings.isPresent()) {
            return false;
        }
        for (Mapping each : mappings.get()) {
            Mapping part = each.clip(address, address + length);
            if (!part.isKnown() || !pageIn(part.start, part.length(), part.copiesWhenWritten(), part.onDisk())) {
                return false;
            }
        }
        return true;
    }

    private boolean pageIn(long address, long length, boolean write, boolean onDisk) {
        if (onDisk && !write) {
            // Several readers spoil each other's reading ahead: 1 GiB took 1.4 s with two, 1.1 with one.
            return false;
        }
        int advice = write ? LinuxConstants.MADV_POPULATE_WRITE : LinuxConstants.MADV_POPULATE_READ;
        return calls.madvise(address, length, advice) == 0;
    }
}
