// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.pagelock.Forecast;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Locks that a real memory cgroup cannot hold, in child JVMs that the kernel would kill for them. */
@EnabledOnOs(OS.LINUX)
class GroupMemoryTest {
    private static final long MIB = 1 << 20;
    private static final long MEMORY = 160 * MIB;
    private static final long LARGE = 200 * MIB;

    private static Cgroup make(long bytes) throws IOException {
        try {
            return Cgroup.withMemory(bytes);
        } catch (IOException e) {
            if ("true".equals(System.getenv("CI"))) {
                throw e;
            }
            return abort("no memory cgroup can be made: " + e);
        }
    }

    private static void run(String what, Path directory) throws Exception {
        Path file = directory.resolve("large");
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(LARGE);
        }
        try (Cgroup group = make(MEMORY)) {
            if (what.equals("cachedElsewhere")) {
                read(file);
            }
            Life.ROOT
                    .jvm()
                    .through(group.command())
                    .options("-Xmx16m", "-XX:ReservedCodeCacheSize=16m")
                    .run(InGroup.class, what, file.toString())
                    .succeeded();
        }
    }

    private static void read(Path file) throws IOException {
        byte[] part = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            int read = in.read(part);
            while (read > 0) {
                read = in.read(part);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file",
                "anonymous",
                "copied",
                "readBefore",
                "small",
                "smallAndCached",
                "usedMeanwhile",
                "batch",
                "remedy",
                "forecast"
            })
    void isRefusedWithTheGroupsNumbersAndSettings(
            String what, @TempDir(factory = PressureTest.BesideClasses.class) Path directory) throws Exception {
        run(what, directory);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cachedElsewhere", "onFault", "fits"})
    void whatFitsIsLocked(String what, @TempDir(factory = PressureTest.BesideClasses.class) Path directory)
            throws Exception {
        run(what, directory);
    }

    /** Nothing that a remedy or a number says depends on the group being the innermost. */
    @Test
    void tightestAncestorCounts(@TempDir(factory = PressureTest.BesideClasses.class) Path directory) throws Exception {
        Path file = directory.resolve("large");
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(LARGE);
        }
        try (Cgroup outer = make(MEMORY);
                Cgroup inner = outer.below(10 * LARGE)) {
            Life.ROOT
                    .jvm()
                    .through(inner.command())
                    .options("-Xmx16m")
                    .run(InGroup.class, "file", file.toString())
                    .succeeded();
        }
    }

    static final class InGroup {
        private static final PageLocker LOCKER = PageLockers.over(new LinuxProvider().open(Host.current()));

        private static MemoryRange anonymous(long bytes) {
            return MemoryRange.of(
                    Libc.mmap(0, bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0),
                    bytes);
        }

        private static MemoryRange file(String name, boolean copied) {
            int fd = Libc.open(Path.of(name), false);
            long at = Libc.mmap(
                    0,
                    LARGE,
                    copied ? Libc.PROT_READ | Libc.PROT_WRITE : Libc.PROT_READ,
                    copied ? Libc.MAP_PRIVATE : Libc.MAP_SHARED,
                    fd,
                    0);
            Libc.close(fd);
            return MemoryRange.of(at, LARGE);
        }

        private static PageLockException refused(MemoryRange range) {
            PageLockException thrown = assertThrows(PageLockException.class, () -> LOCKER.lock(range));
            check(thrown);
            return thrown;
        }

        private static void check(PageLockException thrown) {
            String message = thrown.getMessage();
            assertEquals(Reason.NO_LOCKABLE_MEMORY, thrown.reason(), message);
            assertTrue(message.contains("160 MiB"), message);
            assertTrue(message.contains("pagelock-test"), message);
            String remedy = thrown.remedies().toString();
            assertTrue(remedy.contains("memory.limit_in_bytes") || remedy.contains("memory.max"), remedy);
            assertTrue(remedy.contains("docker run --memory=") && remedy.contains("resources.limits.memory"), remedy);
            assertFalse(remedy.contains("ulimit") || remedy.contains("memlock"), remedy);
            assertEquals(0, Witness.lockedBytes(), "locked after the refusal");
        }

        public static void main(String[] arguments) throws Exception {
            String name = arguments[1];
            switch (arguments[0]) {
                case "file":
                    refused(file(name, false));
                    break;
                case "anonymous":
                    refused(anonymous(LARGE));
                    break;
                case "copied":
                    refused(file(name, true));
                    break;
                case "readBefore":
                    read(Path.of(name));
                    refused(file(name, false));
                    break;
                case "small":
                    small();
                    break;
                case "smallAndCached":
                    smallAndCached(name);
                    break;
                case "usedMeanwhile":
                    usedMeanwhile();
                    break;
                case "batch":
                    List<MemoryRange> all = new ArrayList<>();
                    for (long at = 0; at < LARGE; at += MIB) {
                        all.add(anonymous(MIB));
                        anonymous(4096);
                    }
                    check(assertThrows(PageLockException.class, () -> LOCKER.lock(all)));
                    break;
                case "remedy":
                    remedy(name);
                    break;
                case "forecast":
                    forecast();
                    break;
                case "onFault":
                    LOCKER.lock(anonymous(LARGE), LockOption.ON_FAULT).close();
                    break;
                case "fits":
                    LOCKER.lock(anonymous(40 * MIB)).close();
                    assertEquals(
                            Tristate.YES,
                            LOCKER.forecast(40 * MIB).fits(),
                            LOCKER.limits().toString());
                    break;
                default:
                    // Charged to whoever read it first.
                    LOCKER.lock(file(name, false)).close();
                    break;
            }
        }

        private static void small() {
            List<PageLock> locks = new ArrayList<>();
            PageLockException thrown = assertThrows(PageLockException.class, () -> {
                for (long at = 0; at < LARGE; at += MIB / 4) {
                    locks.add(LOCKER.lock(anonymous(MIB / 4)));
                }
            });
            assertTrue(locks.size() > 4 * 40, locks.size() + " locks");
            locks.forEach(PageLock::close);
            check(thrown);
        }

        /** As of many small files that were read ahead: none of them needs more memory, but all must stay. */
        private static void smallAndCached(String name) throws Exception {
            MemoryRange range = file(name, false);
            byte[] part = new byte[1 << 16];
            List<PageLock> locks = new ArrayList<>();
            PageLockException thrown = assertThrows(PageLockException.class, () -> {
                try (RandomAccessFile file = new RandomAccessFile(name, "r")) {
                    for (long at = 0; at < LARGE; at += part.length) {
                        file.readFully(part);
                        locks.add(LOCKER.lock(MemoryRange.of(range.address() + at, part.length)));
                    }
                }
            });
            assertTrue(locks.size() > 16 * 40, locks.size() + " locks");
            locks.forEach(PageLock::close);
            check(thrown);
        }

        /** There was room for it when another lock looked. */
        private static void usedMeanwhile() throws Exception {
            LOCKER.lock(anonymous(MIB)).close();
            while (LOCKER.forecast(12 * MIB).fits() == Tristate.YES) {
                MemoryRange own = anonymous(MIB / 4);
                for (long at = own.address(); at != own.end(); at += 4096) {
                    Libc.touch(at);
                }
            }
            Thread.sleep(200);
            refused(anonymous(12 * MIB));
        }

        private static void remedy(String name) throws Exception {
            MemoryRange range = file(name, false);
            Matcher command = Pattern.compile("as root, '([^']+)'")
                    .matcher(refused(range).remedies().toString());
            assertTrue(command.find());
            assertEquals(
                    0,
                    new ProcessBuilder("sh", "-ec", command.group(1))
                            .inheritIO()
                            .start()
                            .waitFor());
            try (PageLock lock = LOCKER.lock(range)) {
                assertEquals(LARGE, Witness.lockedBytes());
            }
        }

        private static void forecast() {
            Forecast large = LOCKER.forecast(LARGE);
            assertEquals(Tristate.NO, large.fits(), large.toString());
            assertEquals(Reason.NO_LOCKABLE_MEMORY, large.reason().get());
            assertTrue(large.remedies().toString().contains("docker run --memory="), large.remedies()::toString);
            // It cannot be said whether what is resident is what will be locked.
            MemoryRange own = anonymous(80 * MIB);
            for (long at = own.address(); at != own.end(); at += 4096) {
                Libc.touch(at);
            }
            assertEquals(Tristate.YES, LOCKER.forecast(MIB).fits());
            Forecast between = LOCKER.forecast(90 * MIB);
            assertEquals(Tristate.UNKNOWN, between.fits(), between.toString());
            LOCKER.lock(own).close();
        }
    }
}
