// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import com.sun.jna.Pointer;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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

/** Locks 10,000 buffers of 64 bytes that lie in 160 pages, then releases them all. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ManyBenchmark {
    static final int BUFFERS = 10_000;
    static final int PAGES = 160;
    static final int BYTES = 64;

    static final String BATCH = "pagelock, as a batch";
    static final String ONE_BY_ONE = "pagelock, one by one";
    static final String ONE_BY_ONE_FOREIGN = ONE_BY_ONE + ", foreign binding";
    static final String NESTED = ONE_BY_ONE + ", within one lock";
    static final String NESTED_FOREIGN = NESTED + ", foreign binding";

    /** One of pagelock's, which are above, or one of {@link Peer#NAMES}. */
    @Param(BATCH)
    public String peer;

    private long[] addresses;
    private List<ByteBuffer> buffers;
    private PageLock[] locks;
    private PageLocker pagelock;
    private Peer locker;
    private double before;

    static long[] addresses(long start) {
        long[] addresses = new long[BUFFERS];
        int inPage = 0;
        for (int i = 0, last = -1; i < BUFFERS; i++) {
            int page = (int) ((long) i * PAGES / BUFFERS);
            inPage = page == last ? inPage + 1 : 0;
            last = page;
            addresses[i] = start + page * Baseline.PAGE + inPage * BYTES;
        }
        return addresses;
    }

    static List<ByteBuffer> buffers(long[] addresses) {
        List<ByteBuffer> buffers = new ArrayList<>();
        for (long address : addresses) {
            buffers.add(new Pointer(address).getByteBuffer(0, BYTES));
        }
        return buffers;
    }

    /** Maps the pages. */
    @Setup
    public void open() {
        addresses = addresses(Baseline.resident(PAGES + 64) + 32 * Baseline.PAGE);
        if (peer.startsWith(Peer.PAGELOCK)) {
            pagelock = Peer.pagelock(peer);
            buffers = buffers(addresses);
            locks = new PageLock[BUFFERS];
        } else {
            locker = Peer.named(peer);
        }
    }

    /** Measures C. */
    @Setup(Level.Iteration)
    public void cBefore() {
        before = cLoop();
    }

    /** Measures C again. */
    @TearDown(Level.Iteration)
    public void cAfter() {
        Notes.add(before);
        Notes.add(cLoop());
    }

    private double cLoop() {
        return Baseline.checked(Baseline.many_nanos(addresses, BYTES, BUFFERS)) / 1000.0;
    }

    /** Locks and releases them all. */
    @Benchmark
    public int lockAndReleaseAll() {
        if (peer.equals(BATCH)) {
            pagelock.lock(buffers.stream().map(pagelock::rangeOf).collect(Collectors.toList()))
                    .close();
            return 0;
        }
        if (peer.startsWith(NESTED)) {
            // Not kept open, since the loop in C unlocks the pages.
            try (PageLock around =
                    pagelock.lock(MemoryRange.of(addresses[0] & -Baseline.PAGE, PAGES * Baseline.PAGE))) {
                oneByOne();
                return around.isValid() ? 0 : -1;
            }
        }
        if (peer.startsWith(ONE_BY_ONE)) {
            oneByOne();
            return 0;
        }
        int refused = 0;
        for (long address : addresses) {
            refused |= locker.lock(address, BYTES);
        }
        for (long address : addresses) {
            refused |= locker.unlock(address, BYTES);
        }
        if (refused != 0) {
            throw new IllegalStateException(peer + " is refused");
        }
        return refused;
    }

    private void oneByOne() {
        for (int i = 0; i < BUFFERS; i++) {
            locks[i] = pagelock.lock(buffers.get(i));
        }
        for (PageLock lock : locks) {
            lock.close();
        }
    }
}
