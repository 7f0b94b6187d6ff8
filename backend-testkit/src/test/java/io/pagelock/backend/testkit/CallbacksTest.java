// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.engine.PageLockers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Large asynchronous locks whose callbacks lock memory that overlaps those still under way. */
class CallbacksTest {
    private static final long BIG = 64L << 20;

    @ParameterizedTest
    @ValueSource(strings = {"freebsd", "linux"})
    void aCallbackMayLockWhatOtherLocksAreAbout(String system) throws Exception {
        FakeKernel kernel = new FakeKernel(Systems.of(system).withPageSize(4096));
        PageLocker locker = PageLockers.over(new FakeBackend(kernel));
        long memory = kernel.map(4 * BIG / 4096, FakeKernel.Kind.ANONYMOUS);
        MemoryRange whole = MemoryRange.of(memory, 4 * BIG);
        for (int round = 0; round < 10; round++) {
            List<CompletableFuture<Void>> callbacks = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                PendingLock pending = locker.lockAsync(MemoryRange.of(memory + i * BIG, BIG));
                callbacks.add(pending.toCompletableFuture().thenAccept(lock -> {
                    locker.lock(whole).close();
                    lock.close();
                }));
            }
            for (CompletableFuture<Void> each : callbacks) {
                each.get(60, TimeUnit.SECONDS);
            }
            assertEquals(0, locker.statistics().openHandles());
        }
    }
}
