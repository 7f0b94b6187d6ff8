// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static io.pagelock.backend.macos.MacosConstants.KERN_INVALID_ADDRESS;
import static io.pagelock.backend.macos.MacosConstants.KERN_SUCCESS;
import static io.pagelock.backend.macos.MacosConstants.RTLD_DEFAULT;
import static io.pagelock.backend.macos.MacosConstants.USER_WIRED_COUNT;
import static io.pagelock.backend.macos.MacosConstants.VM_REGION_BASIC_INFO_64;
import static io.pagelock.backend.macos.MacosConstants.VM_REGION_BASIC_INFO_COUNT_64;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.RangeSet;
import io.pagelock.spi.Unsigned;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Asks Mach which parts of this process's memory are mapped, and how often each is wired. A region is an entry of the kernel's map: all
 * of its pages are wired equally often, for a lock of a part splits it (osfmk/vm/vm_map.c of xnu, vm_map_clip_start).
 */
final class Regions {
    /** A part of a range that is mapped. */
    static final class Region {
        final long start;
        final long end;
        /** How many mlock calls it still takes as many munlock calls to end; 0 if it is not locked. */
        final int wirings;

        Region(long start, long end, int wirings) {
            this.start = start;
            this.end = end;
            this.wirings = wirings;
        }
    }

    private final MacosCalls calls;
    /** The name of this process's port; 0 if it could not be read. */
    private final int task;

    Regions(MacosCalls calls) {
        this.calls = calls;
        task = self(calls);
    }

    /** mach_task_self() of C is a macro for this variable: libsyscall/mach/mach/mach_init.h of xnu. */
    private static int self(MacosCalls calls) {
        int[] port = new int[1];
        long variable = calls.dlsym(RTLD_DEFAULT, CLibrary.string("mach_task_self_"));
        if (variable != 0) {
            calls.memcpy(port, variable, Integer.BYTES);
        }
        return port[0];
    }

    /** Returns the mapped parts of a range, in the order of their addresses; empty if the kernel does not say. */
    Optional<List<Region>> of(long start, long end) {
        List<Region> found = new ArrayList<>();
        long at = start;
        while (Unsigned.less(at, end)) {
            long[] address = {at};
            long[] size = new long[1];
            int[] info = new int[VM_REGION_BASIC_INFO_COUNT_64];
            int result = calls.mach_vm_region(
                    task, address, size, VM_REGION_BASIC_INFO_64, info, new int[] {info.length}, new int[1]);
            if (result == KERN_INVALID_ADDRESS) {
                break;
            }
            long next = address[0] + size[0];
            if (result != KERN_SUCCESS || size[0] == 0 || !Unsigned.less(at, next)) {
                return Optional.empty();
            }
            if (Unsigned.less(address[0], end)) {
                // It may have been merged with the one before since that was read.
                found.add(new Region(
                        Unsigned.max(address[0], at), Unsigned.min(next, end), wirings(info[USER_WIRED_COUNT])));
            }
            at = next;
        }
        return Optional.of(found);
    }

    /** The first two of four bytes, whose others nobody writes. */
    private static int wirings(int word) {
        return ByteBuffer.allocate(Integer.BYTES)
                        .order(ByteOrder.nativeOrder())
                        .putInt(0, word)
                        .getShort(0)
                & 0xffff;
    }

    /** Returns how many bytes this process has locked; empty if the kernel does not say. */
    OptionalLong lockedBytes() {
        Optional<List<Region>> all = of(0, -1);
        return all.isPresent() ? OptionalLong.of(bytes(all.get(), true)) : OptionalLong.empty();
    }

    /** Returns how many bytes of regions are locked, or are not. */
    static long bytes(List<Region> regions, boolean locked) {
        long bytes = 0;
        for (Region each : regions) {
            bytes += each.wirings > 0 == locked ? each.end - each.start : 0;
        }
        return bytes;
    }

    static RangeSet rangeSet(List<Region> regions) {
        RangeSet.Builder all = RangeSet.builder();
        regions.forEach(each -> all.add(each.start, each.end));
        return all.build();
    }

    /** Reports whether the kernel answers. */
    boolean answer() {
        return of(0, -1).isPresent();
    }
}
