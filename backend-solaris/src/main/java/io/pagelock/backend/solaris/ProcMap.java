// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.Unsigned;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The mappings of this process: the files {@code map} and {@code xmap} of proc(4), arrays of {@code prmap_t} and
 * {@code prxmap_t}. The kernel writes them in the data model of the reader. Both records begin alike.
 *
 * <p>Source: {@code sys/procfs.h} of illumos-gate; sizes and offsets as its compiler lays them out, checked by the stand-in.
 */
final class ProcMap {
    private static final int NAME_LENGTH = 64;

    private final ProcFiles files;
    private final Layout layout;

    private final long pageSize;

    ProcMap(ProcFiles files, int bits, long pageSize) {
        this.files = files;
        this.pageSize = pageSize;
        this.layout = bits == 64 ? Layout.LP64 : Layout.ILP32;
    }

    /** Sizes and offsets in bytes. */
    enum Layout {
        LP64(8, 104, 216, 16, 80, 88, 120, 136),
        ILP32(4, 96, 152, 8, 72, 80, 104, 112);

        final int word;
        final int sizeOfMap;
        final int sizeOfXmap;
        final int name;
        final int offset;
        final int flags;
        final int resident;
        final int locked;

        Layout(int word, int sizeOfMap, int sizeOfXmap, int name, int offset, int flags, int resident, int locked) {
            this.word = word;
            this.sizeOfMap = sizeOfMap;
            this.sizeOfXmap = sizeOfXmap;
            this.name = name;
            this.offset = offset;
            this.flags = flags;
            this.resident = resident;
            this.locked = locked;
        }
    }

    /** One mapping. */
    static final class Mapping {
        final long start;
        final long end;
        /** The name below /proc/self/object; empty for anonymous memory. */
        final String name;
        /** Where in the object it begins. */
        final long offset;

        final int flags;
        /** Pages in memory; -1 if not asked for. */
        final long residentPages;
        /** Pages locked; -1 if not asked for. */
        final long lockedPages;

        Mapping(long start, long end, String name, long offset, int flags, long residentPages, long lockedPages) {
            this.start = start;
            this.end = end;
            this.name = name;
            this.offset = offset;
            this.flags = flags;
            this.residentPages = residentPages;
            this.lockedPages = lockedPages;
        }

        /** The pages locked, but no more than there are. */
        long lockedPages(long pageSize) {
            return Math.max(0, Math.min(lockedPages, (end - start) / pageSize));
        }

        /** The pages in memory and not locked, but no more than there are. */
        long unlockedPages(long pageSize) {
            return Math.max(0, Math.min(residentPages, (end - start) / pageSize) - lockedPages(pageSize));
        }
    }

    /** All mappings in order of address; empty if the file cannot be read or does not have the expected layout. */
    Optional<List<Mapping>> mappings() {
        return read("map", layout.sizeOfMap, false);
    }

    /** All mappings with their locked pages. The kernel looks at every page for it. */
    Optional<List<Mapping>> mappingsWithLocks() {
        return read("xmap", layout.sizeOfXmap, true);
    }

    private Optional<List<Mapping>> read(String file, int size, boolean extended) {
        byte[] bytes = files.read(file).orElse(null);
        if (bytes == null || bytes.length == 0 || bytes.length % size != 0) {
            return Optional.empty();
        }
        ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        List<Mapping> all = new ArrayList<>();
        for (int at = 0; at < bytes.length; at += size) {
            long start = word(data, at);
            all.add(new Mapping(
                    start,
                    start + word(data, at + layout.word),
                    CLibrary.text(bytes, at + layout.name, NAME_LENGTH),
                    data.getLong(at + layout.offset),
                    data.getInt(at + layout.flags),
                    extended ? word(data, at + layout.resident) : -1,
                    extended ? word(data, at + layout.locked) : -1));
        }
        all.sort(Comparator.comparingLong(each -> each.start ^ Long.MIN_VALUE));
        return isList(all) ? Optional.of(all) : Optional.empty();
    }

    /** Whether these are mappings of whole pages, none of them empty or above another, and of less than 2^63 bytes in all. */
    private boolean isList(List<Mapping> all) {
        long before = 0;
        long bytes = 0;
        for (Mapping each : all) {
            if (((each.start | each.end) & pageSize - 1) != 0
                    || Unsigned.less(each.start, before)
                    || !Unsigned.less(each.start, each.end)) {
                return false;
            }
            before = each.end;
            bytes += each.end - each.start;
            if (bytes < 0) {
                return false;
            }
        }
        return true;
    }

    private long word(ByteBuffer data, int at) {
        return layout.word == 8 ? data.getLong(at) : data.getInt(at) & 0xffffffffL;
    }

    /** The size of a mapped object if it is a regular file that can be looked at; otherwise -1. */
    long objectSize(Mapping mapping) {
        // A name of the kernel's own making, such as ufs.85.0.1234; nothing below another directory is looked at.
        return mapping.name.isEmpty() || mapping.name.indexOf('/') >= 0 ? -1 : files.objectSize(mapping.name);
    }
}
