// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A mapping of this process, from a record of kern.proc.vmmap ({@code struct kinfo_vmentry}). All members that are read here
 * have fixed widths and lie at the same places on every processor and in every release from 9 on: sys/user.h of 10.4, 12 and
 * 14. Records are of different lengths, each with its own in front.
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

    /** Reads the records in front of a buffer. A record that is too short to be one ends the list. */
    static List<MapEntry> parse(byte[] records, int length) {
        ByteBuffer buffer = ByteBuffer.wrap(records, 0, length).order(ByteOrder.nativeOrder());
        List<MapEntry> entries = new ArrayList<>();
        for (int at = 0; at + PATH <= length; ) {
            int size = buffer.getInt(at + STRUCTSIZE);
            if (size < PATH) {
                break;
            }
            entries.add(new MapEntry(buffer, at));
            at += size;
        }
        return entries;
    }

    /** Tells whether it is told of as another is. What lies in memory and in the file may have changed. */
    private boolean isAs(MapEntry other) {
        return start == other.start && end == other.end && flags == other.flags && protection == other.protection;
    }

    static boolean areSame(List<MapEntry> some, List<MapEntry> others) {
        if (some.size() != others.size()) {
            return false;
        }
        for (int i = 0; i < some.size(); i++) {
            if (!some.get(i).isAs(others.get(i))) {
                return false;
            }
        }
        return true;
    }

    boolean overlaps(long from, long to) {
        return Trouble.less(from, end) && Trouble.less(start, to);
    }

    boolean isUserWired() {
        return (flags & FreeBsdConstants.KVME_FLAG_USER_WIRED) != 0;
    }

    /** Whether the kernel would wire it: it takes neither a guard nor memory without read and execute access. */
    boolean isAccessible() {
        return (protection & (FreeBsdConstants.KVME_PROT_READ | FreeBsdConstants.KVME_PROT_EXEC)) != 0;
    }

    /** The address where the pages of the mapped file end, or the end of the mapping if there is nothing beyond. */
    long endOfFile(long pageSize) {
        if (type != FreeBsdConstants.KVME_TYPE_VNODE || (status & FreeBsdConstants.KF_ATTR_VALID) == 0) {
            return end;
        }
        long pages = Math.max(0, (fileSize + pageSize - 1 & -pageSize) - offset);
        return pages < end - start ? start + pages : end;
    }
}
