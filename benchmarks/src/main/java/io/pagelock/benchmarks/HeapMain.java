// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.engine.PageLockers;

/** How much heap a live handle takes, with its entries in the lock table and its range. Argument: how many. Prints bytes a handle. */
final class HeapMain {
    private HeapMain() {}

    public static void main(String[] args) throws InterruptedException {
        PageLocker locker = PageLockers.over(new NoBackend());
        LockTableBenchmark.open(locker, new PageLock[1000]);
        PageLock[] handles = new PageLock[Integer.parseInt(args[0])];
        long before = used();
        LockTableBenchmark.open(locker, handles);
        long after = used();
        System.out.println((double) (after - before) / handles.length);
        for (PageLock handle : handles) {
            handle.close();
        }
    }

    private static long used() throws InterruptedException {
        Runtime runtime = Runtime.getRuntime();
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(50);
        }
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
