// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.PageLockerMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.logging.ConsoleHandler;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import javax.management.JMX;
import javax.management.ObjectName;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program that drops the handle of memory that it goes on to use reads in its log where, in a child JVM with the assembled jars. */
class LeakReportTest {
    /** The main class of the child JVM: a careless line, and whoever wants to know of it. */
    public static final class Careless {
        private static final ByteBuffer HOT = ByteBuffer.allocateDirect(64 * 1024);

        /** Kept, since java.util.logging forgets what was set on a logger that nobody has. */
        private static final Logger LOGGER = Logger.getLogger("io.pagelock");

        private Careless() {}

        private static void start(PageLocker locker) {
            locker.lock(HOT);
        }

        public static void main(String[] args) throws Exception {
            boolean blocks = args.length > 1;
            Handler handler = blocks ? new Blocking() : new ConsoleHandler();
            LOGGER.setUseParentHandlers(false);
            LOGGER.addHandler(handler);
            PageLocker locker = PageLocker.system();
            try (Recording recording = new Recording()) {
                recording.start();
                start(locker);
                await(() -> locker.statistics().openHandles() == 0);
                System.out.println("locked by the kernel " + kernelLocked() + ", leaked "
                        + locker.statistics().leakedHandles());
                if (blocks) {
                    await(() -> Blocking.blocked);
                    // The handler blocks now: locks, closes and leaks go on.
                    try (PageLock lock = locker.lock(HOT)) {
                        System.out.println("locks: " + lock.isValid());
                    }
                    start(locker);
                    await(() -> locker.statistics().openHandles() == 0);
                    System.out.println("locked by the kernel " + kernelLocked() + ", leaked "
                            + locker.statistics().leakedHandles());
                    return;
                }
                ObjectName name = new ObjectName(PageLockerMXBean.NAME);
                await(() -> ManagementFactory.getPlatformMBeanServer().isRegistered(name));
                PageLockerMXBean bean =
                        JMX.newMXBeanProxy(ManagementFactory.getPlatformMBeanServer(), name, PageLockerMXBean.class);
                System.out.println("bean " + bean.getLeakedHandles() + " " + bean.getRecentLeaks());
                await(() -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().equals("pagelock-leaks")));
                recording.stop();
                recording.dump(Path.of(args[0]));
            }
        }

        private static void await(BooleanSupplier condition) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!condition.getAsBoolean() && System.nanoTime() < end) {
                System.gc();
                Thread.sleep(10);
            }
        }

        private static String kernelLocked() throws Exception {
            try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
                return lines.filter(line -> line.startsWith("VmLck:"))
                        .map(line -> line.replaceAll("\\D", ""))
                        .findFirst()
                        .orElseThrow();
            }
        }
    }

    /** A log handler that never returns. */
    public static final class Blocking extends Handler {
        private static volatile boolean blocked;

        @Override
        public void publish(LogRecord line) {
            blocked = true;
            while (true) {
                try {
                    Thread.sleep(Long.MAX_VALUE);
                } catch (InterruptedException e) {
                    continue;
                }
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    private static String run(String option, String... args) throws Exception {
        return Jars.application().options(option).run(Careless.class, args).toString();
    }

    private static List<RecordedEvent> leaks(Path recording) throws Exception {
        return RecordingFile.readAllEvents(recording).stream()
                .filter(event -> event.getEventType().getName().equals("io.pagelock.Leak"))
                .toList();
    }

    @Test
    void theFirstLeakIsLoggedWithItsPlaceUnasked(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("recording.jfr");
        String output = run("-Dany=thing", file.toString());
        assertTrue(output.startsWith("0\n"), output);
        assertTrue(output.contains("locked by the kernel 0, leaked 1\n"), output);
        String message =
                "a PageLock over 6\\d+ bytes \\(6[48] KiB\\) at 0x[0-9a-f]+ was dropped without close, so its pages are unlocked"
                        + " although their memory is still in use";
        String place = "io\\.pagelock\\.it\\.LeakReportTest\\$Careless\\.start\\(LeakReportTest\\.java:\\d+\\)";
        assertTrue(
                output.matches("(?s).*WARNING: " + message + ".* made at " + place + ".*\tat " + place + ".*"), output);
        assertTrue(output.matches("(?s).*bean 1 \\[" + message + ".* made at " + place + ".*"), output);
        List<RecordedEvent> events = leaks(file);
        assertEquals(1, events.size());
        assertTrue(events.get(0).getLong("bytes") >= 64 * 1024, events.toString());
        assertTrue(events.get(0).getString("madeAt").matches(place), events.toString());
    }

    @Test
    void offReportsNothingAndUnlocksAllTheSame(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("recording.jfr");
        assertEquals(
                "0\nlocked by the kernel 0, leaked 0\nbean 0 []\n", run("-Dio.pagelock.leaks=off", file.toString()));
        assertEquals(List.of(), leaks(file));
    }

    @Test
    void countLogsNothing(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("recording.jfr");
        String output = run("-Dio.pagelock.leaks=count", file.toString());
        assertTrue(output.matches("0\nlocked by the kernel 0, leaked 1\nbean 1 \\[a PageLock [^\n]*\n"), output);
        assertEquals(1, leaks(file).size());
    }

    @Test
    void aLogHandlerThatBlocksStopsNeitherLocksNorTheReaper() throws Exception {
        assertEquals(
                "0\nlocked by the kernel 0, leaked 1\nlocks: true\nlocked by the kernel 0, leaked 2\n",
                run("-Dio.pagelock.leaks=trace", "none", "blocks"));
    }
}
