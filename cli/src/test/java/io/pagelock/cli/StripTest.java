// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.Tristate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StripTest {
    private static Strip strip(long pages, int width, long residentFrom, long residentTo) {
        Strip strip = new Strip(pages, width);
        for (long page = 0; page < pages; page++) {
            strip.add(page, Tristate.of(page >= residentFrom && page < residentTo));
        }
        return strip;
    }

    @Test
    void fewPagesGetOneCellEach() {
        assertEquals(" ██ ", strip(4, 10, 1, 3).draw(true));
    }

    @Test
    void manyPagesShareCells() {
        assertEquals("██  ", strip(4000, 4, 0, 2000).draw(true));
    }

    @ParameterizedTest
    @CsvSource({"0,' '", "1,.", "33,.", "34,:", "67,+", "99,+", "100,#"})
    void onlyAFullCellLooksFullAndOnlyAnEmptyOneEmpty(int resident, String drawn) {
        assertEquals(drawn, strip(100, 1, 0, resident).draw(false));
    }

    @Test
    void pagesThatDoNotDivideEvenlyStillFillTheStrip() {
        assertEquals("#######", strip(10, 7, 0, 10).draw(false));
        assertEquals("###", strip(1_000_003, 3, 0, 1_000_003).draw(false));
    }

    @Test
    void unknownStaysUnknown() {
        Strip strip = strip(4, 2, 0, 2);
        strip.add(3, Tristate.UNKNOWN);
        assertEquals("#?", strip.draw(false));
    }
}
