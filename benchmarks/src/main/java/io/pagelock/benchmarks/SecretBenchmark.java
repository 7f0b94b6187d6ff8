// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import com.godaddy.asherah.securememory.TransientSecretFactory;
import com.goterl.lazysodium.SodiumJava;
import com.sun.jna.Pointer;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.secrets.Secret;
import io.pagelock.secrets.SecretPool;
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
 * Allocates a secret of 32 bytes, writes it and closes it, which wipes it. Before and after each iteration, C locks and unlocks
 * a page, in the same process.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class SecretBenchmark {
    static final String POOL = "pagelock-secrets";
    static final String BESIDE = "pagelock-secrets, beside 10,000 others";
    static final String[] NAMES = {POOL, BESIDE, "one page each, by pagelock", "asherah", "lazysodium"};

    private static final int BYTES = 32;
    private static final long C_TIMES = 15_000;

    /** {@link #NAMES}. */
    @Param(POOL)
    public String peer;

    private final byte[] source = new byte[BYTES];
    private Runnable work;
    private long page;
    private double before;
    /** Reachable, or they would be collected. */
    private Object kept;

    /** Makes what the work needs. */
    @Setup
    public void open() {
        page = Baseline.resident(64) + 32 * Baseline.PAGE;
        for (int i = 0; i < BYTES; i++) {
            source[i] = (byte) (i + 1);
        }
        switch (peer) {
            case POOL:
            case BESIDE:
                work = pool(peer.equals(BESIDE) ? 10_000 : 0);
                break;
            case "asherah":
                TransientSecretFactory factory = new TransientSecretFactory();
                // It wipes what it is given.
                work = () -> factory.createSecret(source.clone()).close();
                break;
            case "lazysodium":
                SodiumJava sodium = new SodiumJava();
                work = () -> {
                    Pointer own = sodium.sodium_malloc(BYTES);
                    own.write(0, source, 0, BYTES);
                    sodium.sodium_free(own);
                };
                break;
            default:
                work = onePage();
                break;
        }
    }

    private Runnable pool(int others) {
        SecretPool pool = SecretPool.create(PageLocker.system());
        Secret[] all = new Secret[others];
        for (int i = 0; i < others; i++) {
            all[i] = pool.allocate(BYTES);
        }
        kept = all;
        return () -> {
            try (Secret secret = pool.allocate(BYTES)) {
                secret.write(source);
            }
        };
    }

    private Runnable onePage() {
        PageLocker locker = PageLocker.system();
        Pointer memory = new Pointer(page);
        byte[] zeros = new byte[BYTES];
        return () -> {
            try (PageLock lock = locker.lock(MemoryRange.of(page, Baseline.PAGE))) {
                memory.write(0, source, 0, BYTES);
                memory.write(0, zeros, 0, BYTES);
            }
        };
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
        return (double) Baseline.checked(Baseline.pair_nanos(page + Baseline.PAGE, Baseline.PAGE, C_TIMES)) / C_TIMES;
    }

    /** The work. */
    @Benchmark
    public Object allocateWriteClose() {
        work.run();
        return kept;
    }
}
