// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.spi.Unsigned;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** What the kernel says of this process, read by tests for themselves and with nothing of the library. */
final class Witness {
    private static final long PAGE = Libc.getpagesize();

    private Witness() {}

    /** VmLck in bytes. */
    static long lockedBytes() {
        return ProcWitness.lockedBytes();
    }

    static long statusBytes(String field) {
        return Long.parseLong(status(field).replaceAll("\\D", "")) * 1024;
    }

    static String status(String field) {
        return ProcWitness.status(field);
    }

    /** The VmFlags of the mapping at an address; empty if nothing is mapped there. */
    static List<String> flags(long address) {
        return ProcWitness.flags(address);
    }

    /** How much of the mapping at an address has been written to. */
    static long dirtyBytes(long address) {
        return (number(address, "Shared_Dirty") + number(address, "Private_Dirty")) * 1024;
    }

    private static long number(long address, String name) {
        return Long.parseLong(ProcWitness.smaps(address, name).orElseThrow().replaceAll("\\D", ""));
    }

    /** Major and minor number of the device of what is mapped at an address, as hexadecimal numbers with a colon between. */
    static String device(long address) {
        return ProcWitness.lines("/proc/self/maps").stream()
                .filter(line -> ProcWitness.contains(line, address))
                .findFirst()
                .orElseThrow()
                .split(" ")[3];
    }

    static boolean flagged(long address) {
        return flags(address).contains("lo");
    }

    static boolean onFault(long address) {
        return flags(address).contains("lf");
    }

    /** In memory and in this process's page table. */
    static boolean present(long address) {
        return present(address, 1).get(0);
    }

    /**
     * Which of so many pages are in memory and in this process's page table. A page that the kernel is just moving is in no table for
     * a moment, and looks as if it were swapped out.
     */
    static BitSet present(long address, int pages) {
        BitSet present = marked(address, pages, 0x80);
        for (int look = 0; look < 20 && marked(address, pages, 0x40).cardinality() > 0; look++) {
            LockSupport.parkNanos(10_000_000);
            present = marked(address, pages, 0x80);
        }
        return present;
    }

    /** Of which of so many pages a bit is set in the highest byte of /proc/self/pagemap: proc_pid_pagemap(5). */
    private static BitSet marked(long address, int pages, int bit) {
        try (RandomAccessFile pagemap = new RandomAccessFile("/proc/self/pagemap", "r")) {
            pagemap.seek(Long.divideUnsigned(address, PAGE) * 8);
            // Bit 63 is in the last byte on a little-endian machine, in the first on a big-endian one.
            byte[] entries = new byte[pages * 8];
            pagemap.readFully(entries);
            int high = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? 7 : 0;
            BitSet marked = new BitSet(pages);
            for (int page = 0; page < pages; page++) {
                marked.set(page, (entries[page * 8 + high] & bit) != 0);
            }
            return marked;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Which of so many pages are in a mapping that smaps shows as locked. May be asked while mappings change. */
    static BitSet flagged(long address, int pages) {
        long end = address + pages * PAGE;
        BitSet flagged = new BitSet(pages);
        long from = 0;
        long to = 0;
        for (String line : ProcWitness.lines("/proc/self/smaps")) {
            if (line.charAt(0) <= '9' || line.charAt(0) >= 'a') {
                int dash = line.indexOf('-');
                from = Long.parseUnsignedLong(line.substring(0, dash), 16);
                to = Long.parseUnsignedLong(line.substring(dash + 1, line.indexOf(' ')), 16);
            } else if (Unsigned.less(from, end)
                    && Unsigned.less(address, to)
                    && line.startsWith("VmFlags:")
                    && line.contains(" lo")) {
                flagged.set((int) ((Math.max(from, address) - address) / PAGE), (int)
                        ((Math.min(to, end) - address) / PAGE));
            }
        }
        return flagged;
    }

    static boolean locked(long address) {
        return flagged(address) && present(address);
    }

    static int mappings() {
        return ProcWitness.lines("/proc/self/maps").size();
    }
}
