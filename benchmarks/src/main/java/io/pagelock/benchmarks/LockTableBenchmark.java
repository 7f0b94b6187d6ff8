// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.engine.PageLockers;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Locks and closes at a random place among live handles, over a backend that does nothing: what the lock table costs. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class LockTableBenchmark {
    /** No live handle touches another, nor the one that is locked and closed. */
    private static final long DISTANCE = 8 * Baseline.PAGE;

    private static final long START = 1L << 40;

    /** How many handles are open. */
    @Param("1000")
    public int live;

    /** The length of the range that is locked. */
    @Param("4096")
    public long bytes;

    /** Whether it is locked on fault: a full lock of a long range is one call a step, and not the lock table alone. */
    @Param("false")
    public boolean onFault;

    private LockOption[] options;
    private final PageLocker locker = PageLockers.over(new NoBackend());
    private final SplittableRandom random = new SplittableRandom(42);
    private PageLock[] handles;

    static PageLock[] open(PageLocker locker, PageLock[] handles) {
        for (int i = 0; i < handles.length; i++) {
            handles[i] = locker.lock(MemoryRange.of(START + i * DISTANCE, Baseline.PAGE));
        }
        return handles;
    }

    /** Opens the live handles. */
    @Setup
    public void open() {
        options = onFault ? new LockOption[] {LockOption.ON_FAULT} : new LockOption[0];
        handles = open(locker, new PageLock[live]);
    }

    /** The pair. A long range starts behind the live handles. */
    @Benchmark
    public void lockAndClose() {
        int place = random.nextInt(live);
        long start = bytes > DISTANCE ? START << 1 : START + place * DISTANCE + DISTANCE / 2;
        locker.lock(MemoryRange.of(start, bytes), options).close();
    }
}
