// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The last words of a command that a signal ends while it is stuck. */
@Timeout(300)
class StopSignalTest {
    @TempDir
    Path dir;

    /** As where the machine is busy. */
    @Test
    void lastWordsAreNotCutShortHoweverLongTheyTake() {
        boolean[] said = new boolean[1];
        StopSignal.say(() -> {
            for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2); System.nanoTime() < end; ) {
                Thread.onSpinWait();
            }
            said[0] = true;
        });
        assertTrue(said[0]);
    }

    @Test
    void whatOthersKeepWaitingIsNotWaitedFor() {
        CountDownLatch never = new CountDownLatch(1);
        StopSignal.say(() -> {
            try {
                never.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertEquals(1, never.getCount());
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "has no mkfifo")
    void neitherIsAReaderThatDoesNotRead() throws Exception {
        Path pipe = dir.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        CountDownLatch opened = new CountDownLatch(1);
        Thread reader = new Thread(() -> {
            try (FileInputStream in = new FileInputStream(pipe.toFile())) {
                opened.await();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        reader.start();
        try (FileOutputStream out = new FileOutputStream(pipe.toFile())) {
            boolean[] ended = new boolean[1];
            StopSignal.say(() -> {
                try {
                    out.write(new byte[1 << 20]);
                    ended[0] = true;
                } catch (IOException e) {
                    // The reader has gone, below.
                    return;
                }
            });
            assertEquals(false, ended[0]);
            opened.countDown();
            reader.join();
        }
    }
}
