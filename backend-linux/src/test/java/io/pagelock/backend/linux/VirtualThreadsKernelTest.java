// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.Tristate;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;

/** As many large locks as there are carriers, on the kernel of this machine: another virtual thread runs all the same. */
@EnabledOnOs(OS.LINUX)
@EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "no virtual threads")
class VirtualThreadsKernelTest {
    @Test
    void anotherVirtualThreadRunsWhileLocksTakeAllCarriers() {
        String output = Life.ROOT
                .jvm()
                .options("-Djdk.virtualThreadScheduler.parallelism=2", "-Djdk.virtualThreadScheduler.maxPoolSize=2")
                .run(Others.class)
                .succeeded();
        assertEquals("ran", output.strip());
    }

    static final class Others {
        /** Less than what several threads bring in, for which a lock would wait apart from its carrier anyway. */
        private static final long SIZE = 32L << 20;

        private static final long PAGE = Libc.getpagesize();
        private static final int ROUNDS = 300;

        private static final PageLocker LOCKER = PageLockers.over(new LinuxProvider().open(Host.current()));

        public static void main(String[] arguments) throws Exception {
            boolean ran = false;
            // Locks may be quicker than a thread starts, where others use the machine.
            for (int i = 0; i < ROUNDS && !ran; i++) {
                ran = ranBetween();
            }
            System.out.println(ran ? "ran" : "never ran");
        }

        /** Two locks of fresh memory, and a third thread that sees memory come in while none of them has ended. */
        private static boolean ranBetween() throws Exception {
            long[] memory = new long[2];
            CountDownLatch started = new CountDownLatch(2);
            CountDownLatch ended = new CountDownLatch(3);
            AtomicInteger locked = new AtomicInteger();
            for (int i = 0; i < 2; i++) {
                memory[i] = Libc.mmap(
                        0, SIZE, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
                MemoryRange range = MemoryRange.of(memory[i], SIZE);
                start(() -> {
                    started.countDown();
                    LOCKER.lock(range).close();
                    locked.incrementAndGet();
                    ended.countDown();
                });
            }
            boolean[] seen = new boolean[1];
            start(() -> {
                try {
                    started.await();
                    while (locked.get() == 0 && !seen[0]) {
                        // Of both, a part is there and a part is missing: their locks are under way.
                        seen[0] = isPartlyThere(memory[0]) && isPartlyThere(memory[1]) && locked.get() == 0;
                        Thread.yield();
                    }
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                } finally {
                    ended.countDown();
                }
            });
            if (!ended.await(5, TimeUnit.MINUTES)) {
                throw new AssertionError("stuck");
            }
            for (long each : memory) {
                Libc.munmap(each, SIZE);
            }
            return seen[0];
        }

        private static boolean isPartlyThere(long memory) {
            return isResident(memory) && !isResident(memory + SIZE - PAGE);
        }

        private static boolean isResident(long page) {
            return LOCKER.pageStates(MemoryRange.of(page, PAGE)).countResident(Tristate.YES) == 1;
        }

        private static void start(Runnable work) throws ReflectiveOperationException {
            Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work);
        }
    }
}
