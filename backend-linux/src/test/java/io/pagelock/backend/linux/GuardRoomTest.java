// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.MappingBudget;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class GuardRoomTest {
    private static final long MOST = 65530;
    private OptionalLong used = OptionalLong.of(100);
    private long counts;

    private final GuardRoom room = new GuardRoom(
            new MappingBudget() {
                @Override
                public OptionalLong mostMappings() {
                    return OptionalLong.of(MOST);
                }

                @Override
                public OptionalLong mappings() {
                    counts++;
                    return used;
                }
            },
            () -> List.of("sysctl"));

    @Test
    void guardsStopAtTheReserveAndAreSeldomCounted() {
        PageLockException refused = assertThrows(PageLockException.class, () -> {
            for (long taken = 100; ; taken += 2) {
                used = OptionalLong.of(taken);
                room.take();
            }
        });
        assertEquals(Reason.TOO_MANY_MAPPINGS, refused.reason());
        assertEquals(List.of("sysctl"), refused.remedies());
        assertTrue(used.getAsLong() > MOST - 2048 - 2 && used.getAsLong() <= MOST - 2048, used.toString());
        assertTrue(counts < 100, counts + " counts");
        used = OptionalLong.of(100);
        room.take();
    }

    @Test
    void whereMappingsCannotBeCountedGuardsAreNotRefused() {
        used = OptionalLong.empty();
        for (int i = 0; i < 100_000; i++) {
            room.take();
        }
        assertEquals(1, counts);
    }
}
