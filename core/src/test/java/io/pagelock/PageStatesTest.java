// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PageStatesTest {
    @Test
    void textShowsWhatIsUnknown() {
        PageStates.Builder builder = PageStates.unknown(MemoryRange.of(0x10000, 3 * 0x1000), 0x1000);
        builder.locked(0, Tristate.YES).locked(1, Tristate.NO);
        builder.resident(0, Tristate.YES).resident(1, Tristate.NO).resident(2, Tristate.YES);
        assertEquals(
                "0x10000-0x13000 (12288 bytes): 3 pages, 1 locked (1 unknown), 2 resident",
                builder.build().toString());
    }
}
