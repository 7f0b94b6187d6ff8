// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ErrnoTableTest {
    private final ErrnoTable table = ErrnoTable.builder()
            .put("EAGAIN", 35)
            .put("EWOULDBLOCK", 35)
            .put("EPERM", 1)
            .build();

    @Test
    void firstNameOfANumberIsItsName() {
        assertEquals("EAGAIN", table.name(35));
        assertTrue(table.is(35, "EWOULDBLOCK"));
        assertFalse(table.is(1, "EWOULDBLOCK"));
    }

    @Test
    void unknownNumberHasNoName() {
        assertNull(table.name(11));
        assertNull(table.name(0));
        assertFalse(table.is(11, "EDEADLK"));
    }

    @Test
    void tableKeepsItsOrderAndCannotBeChanged() {
        assertEquals(
                List.of("EAGAIN", "EWOULDBLOCK", "EPERM"),
                List.copyOf(table.numbers().keySet()));
        assertThrows(UnsupportedOperationException.class, () -> table.numbers().clear());
    }

    @Test
    void mistakesInATableAreRefused() {
        ErrnoTable.Builder builder = ErrnoTable.builder().put("EPERM", 1).put("EPERM", 1);
        assertThrows(IllegalArgumentException.class, () -> builder.put("EPERM", 2));
        assertThrows(IllegalArgumentException.class, () -> builder.put("EOK", 0));
        assertThrows(IllegalArgumentException.class, () -> builder.put("ENEG", -1));
    }
}
