// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.MappingReader;
import io.pagelock.spi.RangeSet;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.UnsupportedEncodingException;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the memory that the JVM uses, of all that it has reserved: Java heap, metaspace, code cache, stacks, what its native libraries
 * allocated. HotSpot reserves address space without access (PROT_NONE) and maps it again, writable, as it commits; so do the
 * guard pages of stacks and the arenas of malloc. Files of the program are not among it, but what the JVM writes to in its own
 * (the shared class archive, the data of its libraries).
 */
final class CommittedMemory {
    private final String home;

    /**
     * @param javaHome the directory of the JVM
     */
    CommittedMemory(String javaHome) {
        home = bytes(javaHome) + "/";
    }

    /** Names in maps have a character for each byte. */
    private static String bytes(String name) {
        try {
            return new String(name.getBytes("UTF-8"), "ISO-8859-1");
        } catch (UnsupportedEncodingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Looks now. That of {@code /proc/self} is empty once the leading thread has ended. */
    RangeSet read() throws IOException {
        RangeSet found = read("/proc/self/maps");
        return found.isEmpty() ? read("/proc/thread-self/maps") : found;
    }

    private RangeSet read(String file) throws IOException {
        List<Mapping> found = new ArrayList<>();
        try (MappingReader reader = new MappingReader(new FileInputStream(file), false, 0)) {
            for (Mapping each = reader.next(); each != null; each = reader.next()) {
                if (isOfJvm(each)) {
                    found.add(each);
                }
            }
        }
        return Mapping.rangeSet(found);
    }

    boolean isOfJvm(Mapping mapping) {
        return mapping.isKnown()
                && mapping.permissions().charAt(1) == 'w'
                && (mapping.anonymous()
                        || isSharedMemory(mapping)
                        || mapping.copiesWhenWritten() && mapping.name.startsWith(home));
    }

    /** ZGC maps its heap from a memfd, up to JDK 22 thrice; -XX:+UseSHM from System V shared memory. */
    private static boolean isSharedMemory(Mapping mapping) {
        return !mapping.onDisk()
                && (mapping.name.startsWith("/memfd:")
                        || mapping.name.startsWith("/SYSV")
                        || mapping.name.equals("/dev/zero (deleted)"));
    }
}
