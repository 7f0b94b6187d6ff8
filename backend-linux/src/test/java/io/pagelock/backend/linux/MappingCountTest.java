// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.spi.Host;
import io.pagelock.spi.MappingBudget;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class MappingCountTest {
    private static final int PAGE = Libc.getpagesize();

    private final ProcTexts proc = new ProcTexts();
    private final MappingCount count = new MappingCount(new ProcSelf(proc));

    @Test
    void linesEndAtTheNewLineAlone() {
        proc.maps("00010000-00020000 rw-p 00000000 00:00 0 a\rb", "00020000-00030000 ---p 00000000 00:00 0 \u0085");
        assertEquals(OptionalLong.of(2), count.mappings());
        assertEquals(OptionalLong.of(65530), count.mostMappings());
    }

    @Test
    void whatCannotBeReadIsEmptyAndNotZero() {
        proc.put("/proc/self/maps", "").put("/proc/sys/vm/max_map_count", "many\n");
        assertEquals(OptionalLong.empty(), count.mappings());
        assertEquals(OptionalLong.empty(), count.mostMappings());
        proc.put("/proc/thread-self/maps", "00010000-00020000 rw-p 00000000 00:00 0\n");
        assertEquals(OptionalLong.of(1), count.mappings());
        proc.deny("/proc/self/maps").deny("/proc/thread-self/maps");
        assertEquals(OptionalLong.empty(), count.mappings());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void eachLockedPageBetweenUnlockedOnesAddsTwo() {
        int pages = 2000;
        MappingBudget budget = (MappingBudget) new LinuxProvider().open(Host.current());
        long at = Libc.mmap(
                0, (long) pages * PAGE, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        long before = budget.mappings().getAsLong();
        for (int i = 1; i < pages; i += 2) {
            assertEquals(0, Libc.mlock(at + (long) i * PAGE, PAGE));
        }
        long more = budget.mappings().getAsLong() - before;
        Libc.munmap(at, (long) pages * PAGE);
        assertTrue(Math.abs(more - pages) < 50, more + " mappings more, expected about " + pages);
        assertTrue(budget.mostMappings().getAsLong() > before);
    }
}
