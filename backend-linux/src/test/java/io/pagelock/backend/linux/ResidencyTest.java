// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.Tristate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResidencyTest {
    /** One page: what mincore says of it, whether that can be believed, and its entry in pagemap in hexadecimal. */
    @ParameterizedTest
    @CsvSource({
        "1, true, 8000000000000000, YES, YES",
        "1, false, 8000000000000000, YES, YES",
        "1, true, 0, YES, NO",
        "0, true, 0, NO, NO",
        "1, false, 0, UNKNOWN, NO",
        // A swapped page, and one in the swap cache.
        "0, true, 40000000000000e1, NO, NO",
        "1, true, 4000000000000061, YES, UNKNOWN",
        // A present page as an emulator of the other byte order passes it, without and with a frame number.
        "1, true, 80, YES, YES",
        "1, true, 563412000000a081, YES, YES",
    })
    void mincoreAndPagemapAreCombined(int vector, boolean truthful, String entry, Tristate resident, Tristate locked) {
        Residency residency =
                new Residency(new byte[] {(byte) vector}, new long[] {Long.parseUnsignedLong(entry, 16)}, truthful);
        assertEquals(resident, residency.resident(0));
        assertEquals(locked, residency.lockedIfFlagged(0, Tristate.UNKNOWN));
    }
}
