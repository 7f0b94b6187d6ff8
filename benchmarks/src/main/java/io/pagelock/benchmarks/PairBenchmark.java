// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Locks and unlocks one resident page. Before and after each iteration, C does the same with the same page, in the same
 * process.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PairBenchmark {
    private static final long PAGES = 64;
    private static final long C_TIMES = 15_000;

    /** {@link Peer#NAMES}. */
    @Param(Peer.PAGELOCK)
    public String peer;

    private Peer locker;
    private long address;
    private double before;

    /** Maps the page, with neighbours. */
    @Setup
    public void open() {
        locker = Peer.named(peer);
        address = Baseline.resident(PAGES) + PAGES / 2 * Baseline.PAGE;
        if (locker.pair(address, Baseline.PAGE) != 0) {
            throw new IllegalStateException(peer + " is refused");
        }
    }

    /** Measures C. */
    @Setup(Level.Iteration)
    public void cBefore() {
        before = cPair();
    }

    /** Measures C again. */
    @TearDown(Level.Iteration)
    public void cAfter() {
        Notes.add(before);
        Notes.add(cPair());
    }

    private double cPair() {
        return (double) Baseline.checked(Baseline.pair_nanos(address, Baseline.PAGE, C_TIMES)) / C_TIMES;
    }

    /** The pair. */
    @Benchmark
    public int lockAndUnlock() {
        return locker.pair(address, Baseline.PAGE);
    }
}
