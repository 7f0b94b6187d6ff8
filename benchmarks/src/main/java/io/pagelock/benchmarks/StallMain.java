// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * How long others wait while one thread locks fresh memory and unlocks it again. Arguments: who waits ({@code map}, {@code lock} or {@code
 * async}); bytes; rounds. Prints a line a round: what was measured while C locks with one mlock, how long that took, the
 * same while pagelock locks, and how long that took, in nanoseconds.
 *
 * <p>For map it is the longest mmap or munmap. For lock and async it is the 99th percentile of calls that start once a
 * millisecond. The time of a lock counts from when it should have started, so that a long wait is not counted as one call;
 * lockAsync is timed as it is.
 */
final class StallMain {
    private static final long PAUSE = 100_000;
    private static final long EVERY = 1_000_000;
    private static final PageLocker LOCKER = PageLocker.system();

    private StallMain() {}

    public static void main(String[] args) throws InterruptedException {
        String waiter = args[0];
        long bytes = Long.parseLong(args[1]);
        int rounds = Integer.parseInt(args[2]);
        // Compiles what is measured, and starts the threads that lockAsync keeps.
        for (int i = 0; i < 5; i++) {
            measure(waiter, 64L << 20, false);
        }
        for (int round = 0; round < rounds; round++) {
            long[][] both = new long[2][];
            for (int turn = 0; turn < 2; turn++) {
                boolean byC = (round + turn) % 2 == 0;
                both[byC ? 0 : 1] = measure(waiter, bytes, byC);
            }
            System.out.println(both[0][0] + " " + both[0][1] + " " + both[1][0] + " " + both[1][1]);
        }
    }

    private static long[] measure(String waiter, long bytes, boolean byC) throws InterruptedException {
        try (Memory stop = new Memory(4)) {
            stop.setInt(0, 0);
            Waiter watch = waiter.equals("map") ? new Mapper(stop) : new Caller(stop, waiter.equals("async"));
            Thread thread = new Thread(watch, "waiter");
            thread.start();
            Thread.sleep(20);
            long at = Baseline.checked(Baseline.fresh(bytes));
            watch.count = true;
            long took;
            PageLock lock = null;
            if (byC) {
                took = Baseline.checked(Baseline.lock_nanos(at, bytes));
            } else {
                long begin = System.nanoTime();
                lock = LOCKER.lock(MemoryRange.of(at, bytes));
                took = System.nanoTime() - begin;
            }
            if (byC) {
                Baseline.unlock(at, bytes);
            } else {
                lock.close();
            }
            stop.setInt(0, 1);
            thread.join();
            Baseline.unmap(at, bytes);
            return new long[] {watch.result(), took};
        }
    }

    private abstract static class Waiter implements Runnable {
        volatile boolean count;

        abstract long result();
    }

    private static final class Mapper extends Waiter {
        private final Pointer stop;
        private final long[] result = new long[2];

        private Mapper(Pointer stop) {
            this.stop = stop;
        }

        @Override
        public void run() {
            Baseline.map_until(Pointer.nativeValue(stop), PAUSE, result);
        }

        @Override
        long result() {
            return result[0];
        }
    }

    private static final class Caller extends Waiter {
        private static final int PAGES = 8192;
        private final Pointer stop;
        private final boolean async;
        private final long pages = Baseline.resident(PAGES);
        private final Sample times = new Sample();
        private final List<Double> raw = new ArrayList<>();

        private Caller(Pointer stop, boolean async) {
            this.stop = stop;
            this.async = async;
        }

        @Override
        public void run() {
            List<PendingLock> pending = new ArrayList<>();
            long due = System.nanoTime();
            boolean counted = false;
            for (int i = 0; stop.getInt(0) == 0; i++) {
                MemoryRange page = MemoryRange.of(pages + i % PAGES * Baseline.PAGE, Baseline.PAGE);
                if (count && !counted) {
                    counted = true;
                    due = System.nanoTime();
                }
                long begin = System.nanoTime();
                if (async) {
                    pending.add(LOCKER.lockAsync(page));
                } else {
                    LOCKER.lock(page).close();
                }
                long end = System.nanoTime();
                if (counted) {
                    // The lock was due while an earlier one was waiting; lockAsync itself is timed as it is.
                    raw.add((double) (end - (async ? begin : Math.min(due, begin))));
                }
                due += EVERY;
                while (due < System.nanoTime() && !async && counted && stop.getInt(0) == 0) {
                    raw.add((double) (System.nanoTime() - due));
                    due += EVERY;
                }
                LockSupport.parkNanos(due - System.nanoTime());
            }
            pending.forEach(each -> each.toCompletableFuture().join().close());
            Baseline.unmap(pages, PAGES * Baseline.PAGE);
        }

        @Override
        long result() {
            times.addAll(raw);
            return (long) times.quantile(0.99);
        }
    }
}
