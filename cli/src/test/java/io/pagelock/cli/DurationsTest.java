// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationsTest {
    @ParameterizedTest
    @CsvSource({
        "500ms, PT0.5S",
        "5s, PT5S",
        "0s, PT0S",
        "2m, PT2M",
        "1h, PT1H",
        "1h30m, PT1H30M",
        "1d, PT24H",
        "1m500ms, PT1M0.5S"
    })
    void partsAddUp(String text, Duration expected) {
        assertEquals(expected, Durations.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "5", "s", "-5s", "5 s", "5x", "5s!", "1.5h", "s5", "9999999999999999s"})
    void anythingElseIsRefusedWithAnExample(String text) {
        Exception e = assertThrows(IllegalArgumentException.class, () -> Durations.parse(text));
        assertTrue(e.getMessage().contains("'" + text + "'") && e.getMessage().contains("5s"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"999999999999999d", "999999999999999h999999999999999h", "40000d"})
    void farAwayEndsCanStillBeCountedInNanoseconds(String text) {
        assertTrue(Durations.parse(text).toNanos() > Duration.ofDays(30_000).toNanos());
    }
}
