// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final TestConsole console = new TestConsole();
    private final AtomicLong clock = new AtomicLong();

    @Test
    void linesComeOnceASecondAndAtTheEnd() {
        Progress progress = new Progress.Lines(console.console(), 100 << 20, clock::get);
        for (int step = 1; step <= 10; step++) {
            clock.set(step * SECOND / 4);
            progress.at(step * (10L << 20));
        }
        assertEquals(
                "locking: 41943040 bytes (40 MiB) of 104857600 bytes (100 MiB), 40%, 40.0 MiB/s, 1 s left\n"
                        + "locking: 83886080 bytes (80 MiB) of 104857600 bytes (100 MiB), 80%, 40.0 MiB/s, 0 s left\n"
                        + "locking: 104857600 bytes (100 MiB) of 104857600 bytes (100 MiB), 100%, 40.0 MiB/s, 0 s left\n",
                console.err());
    }

    @Test
    void timeLeftIsRightAboveAGigabyteASecond() {
        assertEquals(Optional.of(Duration.ofSeconds(9)), Progress.left(10L << 30, 100L << 30, SECOND));
    }

    @Test
    void timeLeftIsUnknownAtTheStart() {
        assertEquals(Optional.empty(), Progress.left(0, 100, SECOND));
    }

    @Test
    void barOnATerminalShowsBytesRateAndTime() {
        TestConsole terminal = TestConsole.terminal(100);
        try (Progress progress = Progress.on(terminal.console(), 64 << 20)) {
            progress.at(32 << 20);
            progress.at(64 << 20);
        }
        String last = terminal.err().substring(terminal.err().lastIndexOf('\r') + 1);
        assertTrue(
                last.matches("locking 100% [│|]█+[│|] 64/64 MiB \\(0:00:\\d\\d / 0:00:00\\) +[\\d.]+ [KMG]iB/s\\s*"),
                last);
        assertTrue(last.trim().length() < 100, last);
    }
}
