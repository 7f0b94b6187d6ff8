// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageLockerMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JMX and Flight Recorder see what happens, in a child JVM with the assembled jars. */
class MonitoringTest {
    /** The main class of the child JVM. */
    public static final class Watched {
        private Watched() {}

        public static void main(String[] args) throws Exception {
            PageLocker locker = PageLocker.system();
            try (Recording recording = new Recording()) {
                recording.start();
                ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
                try (PageLock lock = locker.lock(buffer)) {
                    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
                    ObjectName name = new ObjectName(PageLockerMXBean.NAME);
                    for (int i = 0; i < 1200 && !server.isRegistered(name); i++) {
                        Thread.sleep(50);
                    }
                    PageLockerMXBean bean = JMX.newMXBeanProxy(server, name, PageLockerMXBean.class);
                    System.out.println("bean " + bean.getOpenHandles() + " " + bean.getLockedBytes() + " "
                            + bean.getSystemLockedBytes() + " " + bean.getBackend());
                    System.out.println(bean.getLockedPages() * locker.pageSize() == bean.getLockedBytes()
                            && bean.getLongestLockNanos() > 0
                            && bean.getLongestLockNanos() == locker.statistics().longestLockNanos()
                            && bean.getLeakedHandles() == 0
                            && bean.getLeftoverBytes() == 0
                            && bean.getUnmappedBytes() == 0);
                    try {
                        locker.lock(MemoryRange.of(0x10000, 1));
                    } catch (PageLockException expected) {
                        System.out.println("failures " + bean.getFailures());
                    }
                }
                recording.stop();
                recording.dump(Path.of(args[0]));
            }
        }
    }

    @Test
    void theBeanAndTheEventsTellOfLocksAndFailures(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("recording.jfr");
        String output = Jars.application().run(Watched.class, file.toString()).succeeded();
        assertTrue(output.matches("(?s).*bean 1 (65536|69632) (65536|69632) linux .*"), output);
        assertTrue(output.contains("\ntrue\nfailures {NOT_MAPPED=1}"), output);
        List<RecordedEvent> events = RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("io.pagelock.Lock"))
                .collect(Collectors.toList());
        assertEquals(
                List.of("locked 65536", "not mapped 1"),
                events.stream()
                        .map(event -> event.getString("outcome") + " " + event.getLong("bytes"))
                        .sorted()
                        .collect(Collectors.toList()));
    }

    /** The main class of a child JVM without JMX and Flight Recorder. */
    public static final class Unwatched {
        private Unwatched() {}

        public static void main(String[] args) {
            PageLocker locker = PageLocker.system();
            for (int i = 0; i < 2; i++) {
                try (PageLock lock = locker.lock(ByteBuffer.allocateDirect(64))) {
                    System.out.println(
                            lock.isValid() + " " + locker.statistics().openHandles());
                }
            }
            System.out.println(locker.statistics().openHandles() + " left");
        }
    }

    @Test
    void aJvmWithoutThemLocksAllTheSame() throws Exception {
        String output = Jars.application()
                .options("--limit-modules", "java.base,java.logging")
                .run(Unwatched.class)
                .toString();
        assertEquals("0\ntrue 1\ntrue 1\n0 left\n", output);
    }

    @Test
    void noBeanIsRegisteredWhereNobodyWantsIt() throws Exception {
        String output = Jars.application()
                .options("-Dio.pagelock.jmx=false")
                .run(Unregistered.class)
                .toString();
        assertEquals("0\nfalse false\n", output);
    }

    /** The main class of a child JVM that does not want the bean. */
    public static final class Unregistered {
        private Unregistered() {}

        public static void main(String[] args) throws Exception {
            try (PageLock lock = PageLocker.system().lock(ByteBuffer.allocateDirect(64))) {
                // Whoever would register it is started before the lock returns.
                boolean started = Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().equals("pagelock-jmx"));
                boolean registered =
                        ManagementFactory.getPlatformMBeanServer().isRegistered(new ObjectName(PageLockerMXBean.NAME));
                System.out.println(started + " " + registered);
            }
        }
    }
}
