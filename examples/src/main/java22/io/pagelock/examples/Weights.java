// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples;

import static java.nio.channels.FileChannel.MapMode.READ_ONLY;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.foreign.MemorySegments;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Keeps the mapped weights of a model in memory. */
final class Weights {
    private Weights() {}

    public static void main(String[] args) throws IOException {
        PageLocker locker = PageLocker.system();
        Path path = Path.of(args[0]);
        // README
        try (Arena arena = Arena.ofShared();
                FileChannel file = FileChannel.open(path)) {
            MemorySegment weights = file.map(READ_ONLY, 0, file.size(), arena); // also over 2 GiB
            try (PageLock lock = locker.lock(MemorySegments.rangeOf(weights))) {
                infer(weights, lock);
            }
        }
        // end
    }

    private static void infer(MemorySegment weights, PageLock lock) {
        System.out.println(weights.byteSize() + " bytes locked: " + lock.isValid());
    }
}
