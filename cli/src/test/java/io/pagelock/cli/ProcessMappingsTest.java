// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.linux.proc.Mapping;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessMappingsTest {
    @TempDir
    Path proc;

    private static String mapping(String range, String name, long kibibytes, long resident, String flags) {
        return range + " r--s 00000000 fe:00 123                        " + name + "\n"
                + "Size:           " + kibibytes + " kB\nKernelPageSize:        4 kB\nRss:            " + resident
                + " kB\nLocked:         " + resident + " kB\nTHPeligible:    0\n"
                + (flags == null ? "" : "VmFlags: " + flags + " \n");
    }

    private List<Mapping> locked(String smaps) throws IOException {
        return of(smaps, "Name:\tx\n").locked();
    }

    private ProcessMappings of(String smaps, String status) throws IOException {
        Files.createDirectories(proc.resolve("self"));
        Files.write(proc.resolve("self/smaps"), new byte[0]);
        Files.createDirectories(proc.resolve("7"));
        Files.write(proc.resolve("7/smaps"), smaps.getBytes(StandardCharsets.ISO_8859_1));
        Files.write(proc.resolve("7/status"), status.getBytes(StandardCharsets.ISO_8859_1));
        return ProcessMappings.of(proc, 7);
    }

    @Test
    void onlyLockedMappingsAreListed() throws IOException {
        List<Mapping> locked = locked(mapping("1000-3000", "/a b", 8, 4, "rd sh mr lo")
                + mapping("3000-5000", "/not", 8, 4, "rd sh mr")
                + mapping("5000-6000", "", 4, 0, "rd wr lo lf"));
        assertEquals(2, locked.size());
        assertEquals(0x1000, locked.get(0).start);
        assertEquals(0x3000, locked.get(0).end);
        assertEquals("r--s", locked.get(0).permissions());
        assertEquals(8192, locked.get(0).length());
        assertEquals(4096, locked.get(0).residentBytes().getAsLong());
        assertEquals("/a b", locked.get(0).name);
        assertFalse(locked.get(0).has("lf"));
        assertEquals("", locked.get(1).name);
        assertTrue(locked.get(1).has("lf"));
    }

    @Test
    void oldKernelWithoutFlagsGoesByTheLockedField() throws IOException {
        List<Mapping> locked = locked(mapping("1000-3000", "/a", 8, 4, null) + mapping("3000-5000", "/b", 8, 0, null));
        assertEquals(1, locked.size());
        assertEquals(0x1000, locked.get(0).start);
        assertEquals(0x3000, locked.get(0).end);
    }

    @Test
    void lineFeedInANameIsUnescaped() throws IOException {
        assertEquals(
                "/a\nb", locked(mapping("1000-3000", "/a\\012b", 8, 4, "lo")).get(0).name);
    }

    @Test
    void missingProcessAndMissingProcAreTwoReasons() throws IOException {
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
    void kernelThreadHasNoCount() throws IOException {
        Files.createDirectories(proc.resolve("self"));
        Files.createFile(proc.resolve("self/smaps"));
        Files.createDirectory(proc.resolve("2"));
        Files.createFile(proc.resolve("2/smaps"));
        Files.writeString(proc.resolve("2/status"), "Name:\tkthreadd\nPid:\t2\n");
        ProcessMappings mappings = ProcessMappings.of(proc, 2);
        assertEquals("kthreadd", new String(mappings.command(), StandardCharsets.ISO_8859_1));
        assertEquals(List.of(), mappings.locked());
        assertFalse(mappings.lockedBytes().isPresent());
    }

    @Test
    void nameForgesNoFieldAndNoMapping() throws IOException {
        String status = "Name:\tx\rVmLck: 0 kB\\nVmLck: 5 kB\nVmLck:\t      12 kB\n";
        String smaps = mapping(
                "3000-5000", "/a\r00400000-00401000 r--p 00000000 00:00 0 \rVmFlags: rd lo\rRss: 9 kB", 8, 4, "rd lo");
        ProcessMappings mappings = of(smaps, status);
        assertEquals(12 * 1024, mappings.lockedBytes().getAsLong());
        assertEquals("x\rVmLck: 0 kB\nVmLck: 5 kB", new String(mappings.command(), StandardCharsets.ISO_8859_1));
        assertEquals(1, mappings.locked().size());
        assertEquals(4096, mappings.locked().get(0).residentBytes().getAsLong());
        assertTrue(mappings.isComplete());
    }

    @Test
    void numberThatIsNoneIsUnknownAndNoCrash() throws IOException {
        for (String number : List.of("x", "", "-1 kB", "+1 kB", "9223372036854775807 kB", "\u0661 kB", "1 MB")) {
            ProcessMappings mappings = of(
                    "00003000-00005000 r--s 00000000 fe:00 1 /a\nRss: " + number + "\nVmFlags: lo\n",
                    "Name:\tx\nVmLck:\t" + number + "\n");
            assertFalse(mappings.lockedBytes().isPresent(), number);
            assertFalse(mappings.locked().get(0).residentBytes().isPresent(), number);
        }
    }

    @Test
    void entryThatCannotBeReadIsMissingAndItIsSaid() throws IOException {
        ProcessMappings mappings = of(
                mapping("1000-3000", "/a", 8, 4, "lo")
                        + mapping("3000-g000", "/b", 8, 4, "lo")
                        + mapping("5000-6000", "/c", 4, 4, "lo"),
                "Name:\tx\n");
        assertEquals(2, mappings.locked().size());
        assertFalse(mappings.isComplete());
    }
}
