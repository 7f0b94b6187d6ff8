// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A file of holes, each of which takes a page of a tmpfs to be read, and a tmpfs that has too few. */
@EnabledOnOs(OS.LINUX)
class FullFileSystemTest {
    private static final int PAGE = Libc.getpagesize();

    private static boolean mount(String options, Path directory) throws IOException, InterruptedException {
        return new ProcessBuilder("mount", "-t", "tmpfs", "-o", options, "none", directory.toString())
                        .inheritIO()
                        .start()
                        .waitFor()
                == 0;
    }

    @Test
    void hasNoSpaceUntilThereIsMore(@TempDir Path directory) throws Exception {
        assumeTrue(Witness.status("Uid").startsWith("0"), "only root can mount");
        assumeTrue(mount("size=" + 4 * PAGE, directory), "no tmpfs can be mounted");
        try {
            Life.ROOT.jvm().run(Locking.class, directory.toString()).succeeded();
        } finally {
            assertEquals(
                    0,
                    new ProcessBuilder("umount", directory.toString()).start().waitFor());
        }
    }

    static final class Locking {
        private static void isRefused(Runnable lock, Path file) {
            PageLockException refused = assertThrows(PageLockException.class, lock::run);
            assertEquals(Reason.NO_SPACE, refused.reason(), refused.getMessage());
            assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
            assertEquals(
                    "[Make room in the file system of the mapped file]",
                    refused.remedies().toString());
            assertEquals(0, Witness.lockedBytes());
        }

        public static void main(String[] arguments) throws Exception {
            Path directory = Path.of(arguments[0]);
            Path file = directory.resolve("holes");
            try (RandomAccessFile holes = new RandomAccessFile(file.toFile(), "rw")) {
                holes.setLength(8L * PAGE);
            }
            PageLocker locker = PageLockers.over(new LinuxProvider().open(Host.current()));
            int fd = Libc.open(file, false);
            long at = Libc.mmap(0, 8L * PAGE, Libc.PROT_READ, Libc.MAP_SHARED, fd, 0);
            MemoryRange range = MemoryRange.of(at, 8L * PAGE);
            isRefused(() -> locker.lock(range).close(), file);
            isRefused(() -> locker.lockAddressSpace(AddressSpaceScope.CURRENT).close(), file);
            assertTrue(mount("remount,size=" + 8 * PAGE, directory));
            try (PageLock lock = locker.lock(range)) {
                assertTrue(lock.isValid());
                assertEquals(8L * PAGE, Witness.lockedBytes());
            }
        }
    }
}
