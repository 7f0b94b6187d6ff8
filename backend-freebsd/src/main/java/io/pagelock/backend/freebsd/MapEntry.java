// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.spi.Unsigned;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A mapping of this process, from a record of kern.proc.vmmap ({@code struct kinfo_vmentry}). All members that are read here
 * have fixed widths and lie at the same places on every processor and in every release from 9 on: sys/user.h of 10.4, 12 and
 * 14. Records are of different lengths, each with its own in front; the path at the end is not read.
 */
final class MapEntry {
    private static final int STRUCTSIZE = 0;
    private static final int TYPE = 4;
    private static final int START = 8;
    private static final int END = 16;
    private static final int OFFSET = 24;
    private static final int FLAGS = 44;
    private static final int PROTECTION = 56;
    private static final int VN_SIZE = 72;
    private static final int STATUS = 86;
    /** Where the path begins, the only member of variable length. */
    private static final int PATH = 136;

    final long start;
    final long end;
    private final int type;
    private final long offset;
    private final int flags;
    private final int protection;
    private final long fileSize;
    private final int status;

    private MapEntry(ByteBuffer record, int at) {
        start = record.getLong(at + START);
        end = record.getLong(at + END);
        type = record.getInt(at + TYPE);
        offset = record.getLong(at + OFFSET);
        flags = record.getInt(at + FLAGS);
        protection = record.getInt(at + PROTECTION);
        fileSize = record.getLong(at + VN_SIZE);
        status = record.getShort(at + STATUS);
    }

    /**
     * Reads the records in front of a buffer. Empty if they are not what the kernel writes: whole records, of whole pages, in
     * the order of their addresses. A list with a gap where a record was lost would say that nothing is mapped there.
     */
    static Optional<List<MapEntry>> parse(byte[] records, long length, long pageSize) {
        if (length < 0 || length > records.length) {
            return Optional.empty();
        }
        ByteBuffer buffer = ByteBuffer.wrap(records).order(ByteOrder.nativeOrder());
        List<MapEntry> entries = new ArrayList<>();
        long before = 0;
        for (int at = 0; at < length; ) {
            if (length - at < PATH) {
                return Optional.empty();
            }
            int size = buffer.getInt(at + STRUCTSIZE);
            if (size < PATH || size > length - at) {
                return Optional.empty();
            }
            MapEntry entry = new MapEntry(buffer, at);
            boolean isInOrder = !Unsigned.less(entry.start, before) && Unsigned.less(entry.start, entry.end);
            if (!isInOrder || ((entry.start | entry.end) & pageSize - 1) != 0) {
                return Optional.empty();
            }
            before = entry.end;
            entries.add(entry);
            at += size;
        }
        return Optional.of(entries);
    }

    /** Reports whether two records say the same. What lies in memory and in the file may have changed. */
    boolean isAs(MapEntry other) {
        return start == other.start && end == other.end && flags == other.flags && protection == other.protection;
    }

    boolean overlaps(long from, long to) {
        return Unsigned.less(from, end) && Unsigned.less(start, to);
    }

    boolean isUserWired() {
        return (flags & FreeBsdConstants.KVME_FLAG_USER_WIRED) != 0;
    }

    /** Reports whether the kernel would wire it: it takes neither a guard nor memory without read and execute access. */
    boolean isAccessible() {
        return type != FreeBsdConstants.KVME_TYPE_GUARD
                && (protection & (FreeBsdConstants.KVME_PROT_READ | FreeBsdConstants.KVME_PROT_EXEC)) != 0;
    }

    boolean isFile() {
        return type == FreeBsdConstants.KVME_TYPE_VNODE;
    }

    /** Reports whether it is of shm_open(2); how long that is, the kernel does not say. */
    boolean isSharedMemory() {
        return (flags & FreeBsdConstants.KVME_FLAG_POSIXSHM) != 0;
    }

    /** Returns the address where the pages of the mapped file end, or the end of the mapping if none lies beyond. */
    long endOfFile(long pageSize) {
        if (!isFile() || (status & FreeBsdConstants.KF_ATTR_VALID) == 0 || fileSize < 0 || offset < 0) {
            return end;
        }
        long left = fileSize - offset;
        long pages =
                left <= 0 ? 0 : left > Long.MAX_VALUE - pageSize ? Long.MAX_VALUE : left + pageSize - 1 & -pageSize;
        return Unsigned.less(pages, end - start) ? start + pages : end;
    }
}
