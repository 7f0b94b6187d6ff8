// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryRangeTest {
    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE, -4096})
    void lengthOfZeroOrBelowIsRefused(long length) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> MemoryRange.of(0x1000, length));
        assertTrue(refusal.getMessage().contains(Long.toString(length)), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("from 1 to 2^63-1"), refusal.getMessage());
    }

    @Test
    void addressZeroIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> MemoryRange.of(0, 1));
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "-4096, 4096", "-4096, 4097", "1, 9223372036854775807", "-2, 9223372036854775807"})
    void endMustBeAnAddress(long address, long length) {
        if (address == 1) {
            assertEquals(Long.MIN_VALUE, MemoryRange.of(address, length).end());
        } else {
            assertThrows(IllegalArgumentException.class, () -> MemoryRange.of(address, length));
        }
    }

    @Test
    void upperHalfOfTheAddressSpaceIsAllowed() {
        MemoryRange range = MemoryRange.of(0xffff800000000000L, 0x1000);
        assertEquals(0xffff800000001000L, range.end());
        assertEquals("0xffff800000000000-0xffff800000001000 (4096 bytes)", range.toString());
    }

    @ParameterizedTest
    @CsvSource({
        "0x1000, 0x1000, 0x1000, 0x1000",
        "0x1001, 1, 0x1000, 0x1000",
        "0x1fff, 2, 0x1000, 0x2000",
        "0x1fff, 1, 0x1000, 0x1000",
        "0x1000, 0x1001, 0x1000, 0x2000",
    })
    void roundsOutwardToPages(String address, String length, String alignedAddress, String alignedLength) {
        assertEquals(
                MemoryRange.of(Long.decode(alignedAddress), Long.decode(alignedLength)),
                MemoryRange.of(Long.decode(address), Long.decode(length)).alignedTo(4096));
    }

    @Test
    void firstAndLastPageCannotBeAligned() {
        assertThrows(IllegalArgumentException.class, () -> MemoryRange.of(1, 1).alignedTo(4096));
        assertThrows(
                IllegalArgumentException.class, () -> MemoryRange.of(-4095, 1).alignedTo(4096));
        assertThrows(
                IllegalArgumentException.class, () -> MemoryRange.of(0x1000, 1).alignedTo(3000));
    }

    @Test
    void overlapAndContainmentAreUnsigned() {
        MemoryRange low = MemoryRange.of(0x7ffffffffffff000L, 0x2000);
        MemoryRange high = MemoryRange.of(0x8000000000000000L, 0x1000);
        assertTrue(low.overlaps(high));
        assertTrue(high.overlaps(low));
        assertTrue(low.contains(high));
        assertFalse(high.contains(low));
        assertFalse(MemoryRange.of(0x1000, 0x1000).overlaps(MemoryRange.of(0x2000, 0x1000)));
    }
}
