// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/** What a lock is for: a process that may use less memory than the files that it maps. */
@EnabledOnOs(OS.LINUX)
class PressureTest {
    /** The bytes of each of the two files; the last page is not full. */
    private static final int FILE = (112 << 20) - 100;
    /** Room for one of them and the JVM. */
    private static final long MEMORY = 192L << 20;

    @Test
    void lockedFileStaysResidentWhileAnUnlockedOneIsEvicted(@TempDir(factory = BesideClasses.class) Path directory)
            throws Exception {
        try (Cgroup cgroup = make()) {
            Life.ROOT
                    .jvm()
                    .through(cgroup.command())
                    .options("-Xmx16m")
                    .run(UnderPressure.class, directory.toString())
                    .succeeded();
        }
    }

    /** On a disk; the usual place is often in memory, where nothing can be evicted without swap space. */
    static final class BesideClasses implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context) throws IOException {
            return Files.createTempDirectory(Path.of("target").toAbsolutePath(), "pressure");
        }
    }

    private static Cgroup make() throws IOException {
        try {
            return Cgroup.withMemory(MEMORY);
        } catch (IOException e) {
            if ("true".equals(System.getenv("CI"))) {
                throw e;
            }
            return abort("no memory cgroup can be made: " + e);
        }
    }

    /** Maps both files, locks one and reads both in turn. */
    static final class UnderPressure {
        private static final int PAGE = Libc.getpagesize();
        private static final int PAGES = FILE / PAGE + 1;

        /** Keeps the reads. */
        private static long sum;

        public static void main(String[] arguments) throws IOException {
            PageLocker locker = PageLockers.over(new LinuxProvider().open(Host.current()));
            MappedByteBuffer locked = map(Path.of(arguments[0], "locked"));
            MappedByteBuffer unlocked = map(Path.of(arguments[0], "unlocked"));
            try (PageLock lock = locker.lock(locked)) {
                assertTrue(lock.isValid());
                long faultsUnlocked = 0;
                for (int round = 0; round < 3; round++) {
                    faultsUnlocked = faultsOfReading(unlocked);
                    assertEquals(0, faultsOfReading(locked), "major faults of reading the locked file, round " + round);
                    assertEquals(PAGES, resident(locker, locked), "resident pages of the locked file, round " + round);
                }
                assertTrue(faultsUnlocked > 0, "reading the unlocked file causes no fault: there is no pressure");
                assertTrue(
                        resident(locker, unlocked) < PAGES / 2,
                        resident(locker, unlocked) + " of " + PAGES + " unlocked pages are resident");
            }
            // No longer locked, the file gives way like the other, though the kernel may evict the other's pages for a
            // while.
            for (int round = 0; round < 50 && resident(locker, locked) == PAGES; round++) {
                faultsOfReading(unlocked);
            }
            assertTrue(resident(locker, locked) < PAGES, "the file stays resident without a lock");
        }

        private static MappedByteBuffer map(Path file) throws IOException {
            byte[] part = new byte[1 << 16];
            try (OutputStream out = Files.newOutputStream(file)) {
                for (int left = FILE; left > 0; left -= part.length) {
                    out.write(part, 0, Math.min(left, part.length));
                }
            }
            try (FileChannel channel = FileChannel.open(file)) {
                channel.force(true);
                return channel.map(MapMode.READ_ONLY, 0, FILE);
            }
        }

        /** Reads each page and says how often this thread had to wait for a disk meanwhile. */
        private static long faultsOfReading(MappedByteBuffer file) throws IOException {
            long before = majorFaults();
            for (int at = 0; at < FILE; at += PAGE) {
                sum += file.get(at);
            }
            sum += file.get(FILE - 1);
            return majorFaults() - before;
        }

        /** The twelfth field, after a name that may hold blanks: proc_pid_stat(5). */
        private static long majorFaults() throws IOException {
            try (BufferedReader stat =
                    new BufferedReader(new InputStreamReader(new FileInputStream("/proc/thread-self/stat")))) {
                String line = stat.readLine();
                return Long.parseLong(line.substring(line.lastIndexOf(')') + 2).split(" ")[9]);
            }
        }

        private static int resident(PageLocker locker, MappedByteBuffer file) {
            return Libc.residentPages(locker.rangeOf(file).address(), PAGES);
        }
    }
}
