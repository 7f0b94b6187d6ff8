// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class MappingBudgetTest {
    @TempDir
    Path proc;

    @Test
    void leavesWhatTheProcessHasAndAReserve() throws IOException {
        Files.createDirectories(proc.resolve("sys/vm"));
        Files.createDirectories(proc.resolve("self"));
        Files.writeString(proc.resolve("sys/vm/max_map_count"), "65530\n");
        Files.writeString(proc.resolve("self/maps"), "a\nb\nc\n");
        assertEquals(65530 - 3 - 1024, MappingBudget.read(proc).available());
    }

    @Test
    void isEndlessWhereTheSystemDoesNotTell() {
        assertEquals(Long.MAX_VALUE, MappingBudget.read(proc).available());
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "reads /proc")
    void readsAllDigitsOfTheRealSysctl() throws Exception {
        Process cat = new ProcessBuilder("cat", "/proc/sys/vm/max_map_count").start();
        long maximum = Long.parseLong(new String(cat.getInputStream().readAllBytes()).trim());
        long available = MappingBudget.system().available();
        assertTrue(available > maximum / 2 && available < maximum, available + " of " + maximum);
    }

    @Test
    void refusalNamesTheNumbersAndTheKnob() {
        FileLockException failure = new MappingBudget(65530, 64000).exceeded(null, "cannot map 70000 files", 70000);
        assertEquals("TOO_MANY_MAPPINGS", failure.reason());
        assertTrue(failure.getMessage().contains("70000 needed, 64000 left"), failure.getMessage());
        assertEquals(
                List.of("sysctl vm.max_map_count=71530 (as root)", "Hold fewer or larger files"), failure.remedies());
    }
}
