// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.PageLocker;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Handles that a program forgets do not keep their direct buffers for a second garbage collection. */
class ForgottenHandlesTest {
    /** The main class of the child JVM. */
    public static final class Forgetful {
        private Forgetful() {}

        public static void main(String[] args) throws Exception {
            PageLocker locker = PageLocker.system();
            int failed = 0;
            for (int i = 0; i < 1000; i++) {
                try {
                    locker.lock(ByteBuffer.allocateDirect(1 << 20));
                } catch (OutOfMemoryError e) {
                    failed++;
                }
            }
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (locker.statistics().openHandles() > 0 && System.nanoTime() < end) {
                System.gc();
                Thread.sleep(10);
            }
            System.out.println(failed + " failed, " + locker.statistics().openHandles() + " open, "
                    + locker.statistics().systemLockedBytes().orElse(-1) + " locked");
        }
    }

    @Test
    void theirBuffersAreFreedWhenAllocateDirectAsks() throws Exception {
        assertEquals(
                "0\n0 failed, 0 open, 0 locked\n",
                Jars.application()
                        .options("-XX:MaxDirectMemorySize=64m", "-Dio.pagelock.leaks=off")
                        .run(Forgetful.class)
                        .toString());
    }
}
