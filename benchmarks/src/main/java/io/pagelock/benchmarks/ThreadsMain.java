// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Threads that lock and close a page of their own each, for a while: in C, through pagelock, and where there are foreign functions,
 * by those of C in one synchronized monitor. Arguments: the name of the locker, the number of threads, rounds, milliseconds.
 * Prints a line a round: C, pagelock and the monitor (0 without), in nanoseconds a pair, all threads together.
 */
final class ThreadsMain {
    /** Pages between those of two threads. */
    private static final long DISTANCE = 8 * Baseline.PAGE;

    private static final int WARM_UP = 40_000;

    private final int threads;
    private final long millis;
    private final long start;
    private final PageLocker pagelock;
    private final Peer bare;
    private final Object monitor = new Object();

    private ThreadsMain(String name, int threads, long millis) {
        this.threads = threads;
        this.millis = millis;
        start = Baseline.resident(threads * 8L + 16) + DISTANCE;
        pagelock = Peer.pagelock(name);
        bare = Peer.available(Peer.FFM) ? Peer.named(Peer.FFM) : null;
    }

    public static void main(String[] args) throws InterruptedException {
        ThreadsMain work = new ThreadsMain(args[0], Integer.parseInt(args[1]), Long.parseLong(args[3]));
        int rounds = Integer.parseInt(args[2]);
        // Until C2 has compiled both.
        for (int i = 0; i < WARM_UP; i++) {
            work.pagelock(work.start);
            work.inMonitor(work.start);
        }
        work.measure(work::pagelock);
        work.measure(work::inMonitor);
        for (int round = 0; round < rounds; round++) {
            double[] nanos = new double[3];
            for (int turn = 0; turn < nanos.length; turn++) {
                switch ((round + turn) % nanos.length) {
                    case 0:
                        nanos[0] = work.c();
                        break;
                    case 1:
                        nanos[1] = work.measure(work::pagelock);
                        break;
                    default:
                        nanos[2] = work.bare == null ? 0 : work.measure(work::inMonitor);
                }
            }
            System.out.println(nanos[0] + " " + nanos[1] + " " + nanos[2]);
        }
    }

    private double c() {
        long pairs = Baseline.checked(Baseline.threads_pairs(start, DISTANCE, threads, millis));
        return millis * 1e6 / pairs;
    }

    private interface Pair {
        void lockAndClose(long address);
    }

    private void pagelock(long address) {
        pagelock.lock(MemoryRange.of(address, Baseline.PAGE)).close();
    }

    private void inMonitor(long address) {
        if (bare == null) {
            return;
        }
        synchronized (monitor) {
            bare.lock(address, Baseline.PAGE);
        }
        synchronized (monitor) {
            bare.unlock(address, Baseline.PAGE);
        }
    }

    private double measure(Pair pair) throws InterruptedException {
        CountDownLatch ready = new CountDownLatch(threads);
        CountDownLatch go = new CountDownLatch(1);
        AtomicLong pairs = new AtomicLong();
        long nanos = millis * 1_000_000;
        Thread[] all = new Thread[threads];
        for (int i = 0; i < threads; i++) {
            long address = start + i * DISTANCE;
            all[i] = new Thread(() -> {
                ready.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    return;
                }
                long count = 0;
                for (long end = System.nanoTime() + nanos; System.nanoTime() - end < 0; count++) {
                    pair.lockAndClose(address);
                }
                pairs.addAndGet(count);
            });
            all[i].start();
        }
        ready.await();
        long begin = System.nanoTime();
        go.countDown();
        for (Thread each : all) {
            each.join();
        }
        return (double) (System.nanoTime() - begin) / pairs.get();
    }
}
