// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessMappingsTest {
    private static String mapping(String range, String name, long kibibytes, long resident, String flags) {
        return range + " r--s 00000000 fe:00 123                        " + name + "\n"
                + "Size:           " + kibibytes + " kB\nKernelPageSize:        4 kB\nRss:            " + resident
                + " kB\nLocked:         " + resident + " kB\nTHPeligible:    0\n"
                + (flags == null ? "" : "VmFlags: " + flags + " \n");
    }

    private static List<ProcessMappings.Mapping> locked(String smaps) throws IOException {
        return ProcessMappings.locked(new BufferedReader(new StringReader(smaps)));
    }

    @Test
    void onlyLockedMappingsAreListed() throws IOException {
        List<ProcessMappings.Mapping> locked = locked(mapping("1000-3000", "/a b", 8, 4, "rd sh mr lo")
                + mapping("3000-5000", "/not", 8, 4, "rd sh mr")
                + mapping("5000-6000", "", 4, 0, "rd wr lo lf"));
        assertEquals(2, locked.size());
        assertEquals("1000-3000", locked.get(0).range());
        assertEquals("r--s", locked.get(0).permissions());
        assertEquals(8192, locked.get(0).bytes());
        assertEquals(4096, locked.get(0).residentBytes());
        assertArrayEquals("/a b".getBytes(), locked.get(0).name());
        assertFalse(locked.get(0).isOnFault());
        assertEquals(0, locked.get(1).name().length);
        assertTrue(locked.get(1).isOnFault());
    }

    @Test
    void oldKernelWithoutFlagsGoesByTheLockedField() throws IOException {
        List<ProcessMappings.Mapping> locked =
                locked(mapping("1000-3000", "/a", 8, 4, null) + mapping("3000-5000", "/b", 8, 0, null));
        assertEquals(1, locked.size());
        assertEquals("1000-3000", locked.get(0).range());
    }

    @Test
    void lineFeedInANameIsUnescaped() throws IOException {
        assertArrayEquals(
                "/a\nb".getBytes(StandardCharsets.ISO_8859_1),
                locked(mapping("1000-3000", "/a\\012b", 8, 4, "lo")).get(0).name());
    }

    @Test
    void missingProcessAndMissingProcAreTwoReasons(@TempDir Path proc) throws IOException {
        assertEquals(
                "NOT_SUPPORTED",
                assertThrows(Failure.class, () -> ProcessMappings.of(proc, 5)).reason());
        Files.createDirectory(proc.resolve("self"));
        Files.createFile(proc.resolve("self/smaps"));
        Failure none = assertThrows(Failure.class, () -> ProcessMappings.of(proc, 5));
        assertEquals("NO_SUCH_PROCESS", none.reason());
        assertEquals("no process 5", none.getMessage());
    }

    @Test
    void kernelThreadHasNoCount(@TempDir Path proc) throws IOException {
        Files.createDirectories(proc.resolve("self"));
        Files.createFile(proc.resolve("self/smaps"));
        Files.createDirectory(proc.resolve("2"));
        Files.createFile(proc.resolve("2/smaps"));
        Files.writeString(proc.resolve("2/status"), "Name:\tkthreadd\nPid:\t2\n");
        ProcessMappings mappings = ProcessMappings.of(proc, 2);
        assertEquals("kthreadd", mappings.command());
        assertEquals(List.of(), mappings.locked());
        assertFalse(mappings.lockedBytes().isPresent());
    }
}
