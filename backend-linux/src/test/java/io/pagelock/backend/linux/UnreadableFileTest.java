// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file with blocks that cannot be read, of which mlock(2) itself never returns: ext4 on a loop device that was cut short. */
@EnabledOnOs(OS.LINUX)
class UnreadableFileTest {
    private static final long MIB = 1 << 20;
    private static final long SIZE = 12 * MIB;
    private static final int PAGE = Libc.getpagesize();

    @ParameterizedTest
    @ValueSource(strings = {"page", "small", "large", "copied", "all"})
    void isAnIoErrorAndReturns(String what, @TempDir(factory = PressureTest.BesideClasses.class) Path directory)
            throws Exception {
        assumeTrue(Witness.status("Uid").startsWith("0"), "only root can mount");
        Path image = directory.resolve("image");
        Path mounted = Files.createDirectory(directory.resolve("mounted"));
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(32 * MIB);
        }
        assumeTrue(
                succeeds("mkfs.ext4", "-q", "-O", "^has_journal", image.toString())
                        && succeeds("mount", "-o", "loop", image.toString(), mounted.toString()),
                "no loop device can be mounted");
        try {
            Path file = mounted.resolve("file");
            Files.write(file, new byte[(int) SIZE]);
            // Of this file alone: other tests of this machine count on what is in memory.
            assertTrue(succeeds("dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"));
            // What the file system itself needs lies at the start.
            try (RandomAccessFile cut = new RandomAccessFile(image.toFile(), "rw")) {
                cut.setLength(32 * MIB / 8);
            }
            Life.ROOT
                    .jvm()
                    .within(Duration.ofMinutes(3))
                    .run(Locking.class, what, file.toString())
                    .succeeded();
        } finally {
            // Restored, so that it can be unmounted in peace.
            try (RandomAccessFile whole = new RandomAccessFile(image.toFile(), "rw")) {
                whole.setLength(32 * MIB);
            }
            succeeds("umount", mounted.toString());
        }
    }

    private static boolean succeeds(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }

    static final class Locking {
        public static void main(String[] arguments) throws IOException {
            PageLocker locker = PageLockers.over(new LinuxProvider().open(Host.current()));
            int fd = Libc.open(Path.of(arguments[1]), false);
            boolean copied = arguments[0].equals("copied");
            long at = Libc.mmap(
                    0,
                    SIZE,
                    Libc.PROT_READ | (copied ? Libc.PROT_WRITE : 0),
                    copied ? Libc.MAP_PRIVATE : Libc.MAP_SHARED,
                    fd,
                    0);
            PageLockException thrown = assertThrows(PageLockException.class, () -> {
                switch (arguments[0]) {
                    case "page":
                        locker.lock(MemoryRange.of(at + SIZE - PAGE, PAGE));
                        break;
                    case "small":
                        locker.lock(MemoryRange.of(at + SIZE - 2 * MIB, 2 * MIB));
                        break;
                    case "all":
                        locker.lockAddressSpace(AddressSpaceScope.CURRENT);
                        break;
                    default:
                        locker.lock(MemoryRange.of(at, SIZE));
                        break;
                }
            });
            assertEquals(Reason.IO_ERROR, thrown.reason(), thrown.getMessage());
            assertTrue(thrown.getMessage().contains(arguments[1]), thrown.getMessage());
            assertEquals(0, Witness.lockedBytes());
            // Nothing is read that need not be.
            locker.lock(MemoryRange.of(at + SIZE - PAGE, PAGE), LockOption.ON_FAULT)
                    .close();
        }
    }
}
