// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.nio.ByteBuffer;

/** The first use in a JVM: {@code pagelock} locks a buffer, {@code jna} loads JNA's native part. Prints nanoseconds. */
final class ColdMain {
    private ColdMain() {}

    public static void main(String[] args) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(64);
        long nanos = args[0].equals("jna") ? jna() : pagelock(buffer);
        System.out.println(nanos);
    }

    private static long jna() {
        long begin = System.nanoTime();
        NativeLibrary process = NativeLibrary.getProcess();
        process.getFunction("mlock");
        boolean loaded = Native.POINTER_SIZE > 0;
        return loaded ? System.nanoTime() - begin : 0;
    }

    private static long pagelock(ByteBuffer buffer) {
        long begin = System.nanoTime();
        PageLock lock = PageLocker.system().lock(buffer);
        long nanos = System.nanoTime() - begin;
        lock.close();
        return nanos;
    }
}
