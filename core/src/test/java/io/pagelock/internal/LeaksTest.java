// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** What is recorded, counted and logged of dropped handles, with logs that behave and logs that do not. */
class LeaksTest {
    private final BlockingQueue<String> log = new LinkedBlockingQueue<>();
    private final BiConsumer<String, Throwable> writing =
            (message, place) -> log.add(message + (place == null ? "" : " / " + place.getStackTrace()[0]));

    private String next() throws InterruptedException {
        String line = log.poll(60, TimeUnit.SECONDS);
        assertNotNull(line, "nothing was logged for a minute");
        return line;
    }

    @Test
    void theFirstPlacesAreRecordedAndLaterOnlyOneNowAndThen() {
        Leaks leaks = new Leaks("report", writing);
        long now = System.nanoTime();
        for (int i = 0; i <= Leaks.FIRST_PLACES; i++) {
            assertNotNull(leaks.place(now, null), "handle " + i);
        }
        assertNull(leaks.place(now, null));
        assertNull(leaks.place(now + Leaks.PLACE_NANOS - 1, null));
        assertNotNull(leaks.place(now + Leaks.PLACE_NANOS, null));
        assertNull(leaks.place(now + Leaks.PLACE_NANOS, null));
    }

    @Test
    void everyPlaceIsRecordedByTraceAndNoneByCountAndOff() {
        Leaks trace = new Leaks("trace", writing);
        long now = System.nanoTime();
        for (int i = 0; i < 1000; i++) {
            assertNotNull(trace.place(now, null));
        }
        assertNull(new Leaks("count", writing).place(now, null));
        assertNull(new Leaks("off", writing).place(now, null));
    }

    @Test
    void theFirstLeakOfAPlaceIsLoggedAndAllAreCounted() throws InterruptedException {
        Leaks leaks = new Leaks(null, writing);
        Leaks.Place place = leaks.place(System.nanoTime(), null);
        for (int i = 1; i <= 20; i++) {
            leaks.dropped(0x1000, 4096, i % 2 == 0 ? place : null);
            assertEquals(i, leaks.count());
        }
        String unknown = next();
        assertTrue(unknown.contains("a PageLock over 4096 bytes (4 KiB) at 0x1000 was dropped without close"), unknown);
        assertTrue(unknown.contains("-Dio.pagelock.leaks=trace"), unknown);
        assertTrue(unknown.endsWith("(dropped so far: 1)"), unknown);
        String known = next();
        assertTrue(known.endsWith("made at " + place + " (dropped so far: 2) / " + place), known);
        assertNull(log.poll(200, TimeUnit.MILLISECONDS), "more were logged");
        assertEquals(10, leaks.recent().size());
        assertTrue(leaks.recent().get(9).endsWith("(dropped so far: " + leaks.count() + ")"));
    }

    @Test
    void thePlaceIsNamedAndWhetherTheMemoryIsInUse() throws InterruptedException {
        Leaks leaks = new Leaks("trace", writing);
        Object owner = new Object();
        Leaks.Place place = leaks.place(System.nanoTime(), owner);
        leaks.dropped(0x1000, 4096, place);
        String line = next();
        assertTrue(line.contains("although their memory is still in use"), line);
        // This class is in the package whose frames are left out, so it is the first one that is not.
        assertTrue(line.contains(" It was made at " + place + " "), line);
        assertTrue(line.endsWith(" / " + place), line);
        assertNotNull(owner);
        leaks.dropped(0x1000, 4096, leaks.place(System.nanoTime(), null));
        assertTrue(!next().contains("still in use"));
    }

    @Test
    void countLogsNothingAndOffDoesNotCount() throws InterruptedException {
        Leaks counting = new Leaks("count", writing);
        Leaks off = new Leaks("off", writing);
        counting.dropped(0x1000, 4096, null);
        off.dropped(0x1000, 4096, null);
        assertEquals(1, counting.count());
        assertEquals(0, off.count());
        assertEquals(List.of(), off.recent());
        assertNull(log.poll(200, TimeUnit.MILLISECONDS));
    }

    @Test
    void aWrongValueIsNamed() throws InterruptedException {
        Leaks leaks = new Leaks("paranoid", writing);
        assertEquals(
                "-Dio.pagelock.leaks=paranoid is none of off, count, report and trace; report is used instead", next());
        leaks.dropped(0x1000, 4096, null);
        next();
    }

    @Test
    void aLogThatBlocksHoldsNobodyUp() throws InterruptedException {
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Leaks leaks = new Leaks("trace", (message, place) -> {
            called.countDown();
            boolean interrupted = false;
            while (goOn.getCount() > 0) {
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            log.add(message + interrupted);
        });
        leaks.dropped(0x1000, 4096, null);
        assertTrue(called.await(60, TimeUnit.SECONDS));
        // In this thread, which would be the reaper's.
        for (int i = 0; i < 10_000; i++) {
            leaks.dropped(0x1000, 4096, null);
        }
        assertEquals(10_001, leaks.count());
        goOn.countDown();
        for (int i = 0; i < 65; i++) {
            next();
        }
        assertNull(log.poll(200, TimeUnit.MILLISECONDS), "more were waiting than the queue holds");
    }

    @Test
    void aLogThatThrowsIsAskedAgain() throws InterruptedException {
        Leaks leaks = new Leaks("trace", (message, place) -> {
            log.add(message);
            throw new StackOverflowError("as the test wants");
        });
        leaks.dropped(0x1000, 4096, null);
        next();
        leaks.dropped(0x2000, 4096, null);
        assertTrue(next().contains("0x2000"));
    }

    /** What a JVM of Java 8 does, and what every other one does where the program chose no other logger. */
    @Test
    void bothWaysEndInJavaUtilLogging() {
        Logger logger = Logger.getLogger("io.pagelock");
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord line) {
                log.add(line.getLevel() + " " + line.getMessage() + " / "
                        + line.getThrown().getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
        try {
            LeakLog.warn("{0} one", new Throwable("here"));
            LeakLog.warnThroughUtilLogging("{0} two", new Throwable("there"));
        } finally {
            logger.removeHandler(handler);
            logger.setUseParentHandlers(true);
        }
        assertEquals(List.of("WARNING {0} one / here", "WARNING {0} two / there"), List.copyOf(log));
    }
}
