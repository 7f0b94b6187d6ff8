// SPDX-License-Identifier: Apache-2.0
package io.pagelock.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Direct memory of Netty's pool: many buffers share a chunk, and their pages; the kernel's VmLck is the witness. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class NettyTest {
    /** The main class of the child JVM. */
    static final class Pool {
        private Pool() {}

        public static void main(String[] args) throws IOException {
            PageLocker locker = PageLocker.system();
            PooledByteBufAllocator allocator = new PooledByteBufAllocator(true);
            List<ByteBuf> buffers = new ArrayList<>();
            List<PageLock> locks = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                ByteBuf buffer = allocator.directBuffer(1000);
                buffers.add(buffer);
                // A view that nobody else has: the handle keeps it, and the view keeps the chunk.
                locks.add(locker.lock(buffer.nioBuffer(0, 1000)));
            }
            long all = lockedKiB();
            System.out.println(all * 1024 == locker.statistics().lockedBytes() && all >= 64 && all < 64 * 4);
            // Neighbours on the same pages stay locked.
            Set<Long> pages = new HashSet<>();
            for (int i = 0; i < 64; i++) {
                if (i % 2 == 0) {
                    locks.get(i).close();
                    buffers.get(i).release();
                } else {
                    MemoryRange range = locks.get(i).ranges().get(0);
                    pages.add(range.address() / locker.pageSize());
                    pages.add((range.end() - 1) / locker.pageSize());
                }
            }
            System.out.println(lockedKiB() * 1024 == pages.size() * locker.pageSize() && pages.size() < 32);
            for (int i = 1; i < 64; i += 2) {
                locks.get(i).close();
                buffers.get(i).release();
            }
            System.out.println(lockedKiB());
            // A whole chunk at once, whoever gets its parts later.
            ByteBuf chunk = allocator.directBuffer(allocator.metric().chunkSize());
            try (PageLock lock = locker.lock(chunk.nioBuffer(0, chunk.capacity()))) {
                System.out.println(lockedKiB() >= chunk.capacity() / 1024);
            }
            chunk.release();
            System.out.println(lockedKiB());
        }

        private static long lockedKiB() throws IOException {
            try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
                return lines.filter(line -> line.startsWith("VmLck:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .sum();
            }
        }
    }

    @Test
    void pooledBuffersNestOnTheirPages() {
        String output = new ChildJvm().run(Pool.class).succeeded();
        assertTrue(output.endsWith("true\ntrue\n0\ntrue\n0\n"), output);
        assertEquals(5, output.lines().filter(line -> line.matches("true|0")).count(), output);
    }
}
