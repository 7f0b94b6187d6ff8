// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Locks the buffers of {@link ManyBenchmark}, releases every second one, and asks the kernel how many of the 160 pages, each
 * of which still has buffers in use, are locked. Prints that.
 */
final class NeighboursMain {
    private NeighboursMain() {}

    public static void main(String[] args) throws IOException {
        long start = Baseline.resident(ManyBenchmark.PAGES);
        long[] addresses = ManyBenchmark.addresses(start);
        if (args[0].equals(Peer.PAGELOCK)) {
            List<PageLock> locks = new ArrayList<>();
            ManyBenchmark.buffers(addresses)
                    .forEach(buffer -> locks.add(PageLocker.system().lock(buffer)));
            for (int i = 0; i < locks.size(); i += 2) {
                locks.get(i).close();
            }
            print(start);
            locks.forEach(PageLock::close);
            return;
        }
        Peer peer = Peer.named(args[0]);
        for (long address : addresses) {
            if (peer.lock(address, ManyBenchmark.BYTES) != 0) {
                throw new IllegalStateException(args[0] + " is refused");
            }
        }
        for (int i = 0; i < addresses.length; i += 2) {
            peer.unlock(addresses[i], ManyBenchmark.BYTES);
        }
        print(start);
    }

    private static void print(long start) throws IOException {
        long bytes = ManyBenchmark.PAGES * Baseline.PAGE;
        // A mapping next to it may have been joined; then nothing lies within the range and nothing is locked.
        System.out.println(Smaps.of(start, bytes).locked / Baseline.PAGE);
    }
}
