// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.linux.proc.Mapping;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Asks the kernel for the mapping at an address: PROCMAP_QUERY on {@code /proc/thread-self/maps}, {@code linux/fs.h} of Linux 6.11. A few
 * microseconds, where reading that file takes the time to write a line for every mapping of the process.
 *
 * <p>The file is opened each time: a descriptor that stays open would reach programs that are started, and would keep a
 * process from being checkpointed.
 */
final class MappingQuery {
    /** _IOWR('f', 17, struct procmap_query). */
    private static final long PROCMAP_QUERY = 0xc0686611L;

    /** sizeof(struct procmap_query) is 104. */
    private static final int WORDS = 13;

    private static final int SIZE = 0;
    private static final int FLAGS = 1;
    private static final int ADDRESS = 2;
    private static final int START = 3;
    private static final int END = 4;
    private static final int MAPPING_FLAGS = 5;
    private static final int INODE = 8;
    /** dev_major and dev_minor, of 32 bits each. */
    private static final int DEVICE = 9;

    /** Tristate with the next mapping if there is none at the address. */
    private static final long COVERING_OR_NEXT = 0x10;

    /** PROCMAP_QUERY_VMA_WRITABLE and PROCMAP_QUERY_VMA_SHARED. */
    private static final long WRITABLE = 2;

    private static final long SHARED = 8;

    private static final int READ_ONLY = 0;

    /** What is asked of a mapping. */
    static final class Found {
        final long start;
        final long end;
        private final long inode;
        private final long flags;
        private final long device;

        private Found(long[] answer) {
            start = answer[START];
            end = answer[END];
            inode = answer[INODE];
            flags = answer[MAPPING_FLAGS];
            device = answer[DEVICE];
        }

        /** Whether its pages come from a file, which shared memory counts as. The first segment of shmget has inode 0. */
        boolean ofFile() {
            return inode != 0 || device != 0;
        }

        /** Whether writing to it makes a copy of its own of each page. */
        boolean copiesWhenWritten() {
            return (flags & (WRITABLE | SHARED)) == WRITABLE;
        }

        /** As {@link Mapping#onDisk}. */
        boolean onDisk() {
            boolean majorIsLow = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
            return (int) (majorIsLow ? device : device >>> 32) != 0;
        }
    }

    private final LinuxCalls calls;
    private final boolean callable;
    /** Whether this kernel answers; null until somebody asks. */
    private volatile Boolean usable;

    /**
     * Makes one; nothing is asked yet.
     *
     * @param calls the calls
     * @param constants of the processor. Functions with a variable number of arguments are called like others on those of
     *     {@link LinuxConstants#GENERIC}, but not on POWER; elsewhere nobody has tried
     */
    MappingQuery(LinuxCalls calls, LinuxConstants constants) {
        this.calls = calls;
        this.callable = constants == LinuxConstants.GENERIC;
    }

    boolean isUsable() {
        if (usable == null) {
            int fd = callable ? open() : -1;
            try {
                usable = fd >= 0 && ask(fd, 0, COVERING_OR_NEXT) != null;
            } finally {
                close(fd);
            }
        }
        return usable;
    }

    /** A descriptor for {@link #at}; negative if there is none to be had. */
    int open() {
        // Kernels that answer have it; /proc/self answers nothing once the leading thread has ended.
        return calls.open("/proc/thread-self/maps\0".getBytes(StandardCharsets.US_ASCII), READ_ONLY);
    }

    /** The mapping at an address; null if there is none. */
    Found at(int fd, long address) {
        return ask(fd, address, 0);
    }

    private Found ask(int fd, long address, long flags) {
        long[] query = new long[WORDS];
        query[SIZE] = WORDS * 8L;
        query[FLAGS] = flags;
        query[ADDRESS] = address;
        return calls.ioctl(fd, PROCMAP_QUERY, query) == 0 ? new Found(query) : null;
    }

    void close(int fd) {
        if (fd >= 0) {
            calls.close(fd);
        }
    }
}
