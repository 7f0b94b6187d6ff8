// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.nio.ByteBuffer;

/**
 * The first use in a JVM: {@code pagelock} locks a buffer, {@code jna} loads JNA's native library and finds a function, {@code
 * bound} also binds a native method to it, as every fast use of JNA must; {@code foreign functions} links mlock and munlock and
 * calls one. Prints nanoseconds.
 */
final class ColdMain {
    private ColdMain() {}

    public static void main(String[] args) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(64);
        if (args[0].startsWith(Peer.PAGELOCK)) {
            System.out.println(pagelock(buffer));
        } else {
            System.out.println(args[0].equals(Peer.FFM) ? downcall() : jna(args[0].equals("bound")));
        }
    }

    private static final class Bound {
        private static native int mlock(long address, long length);
    }

    private static long jna(boolean bind) {
        long begin = System.nanoTime();
        NativeLibrary process = NativeLibrary.getProcess();
        process.getFunction("mlock");
        boolean loaded = Native.POINTER_SIZE > 0;
        if (bind) {
            Native.register(Bound.class, process);
        }
        return loaded ? System.nanoTime() - begin : 0;
    }

    /** Of nothing, which succeeds. */
    private static long downcall() {
        long begin = System.nanoTime();
        int result = new Peer.ForeignFunctions().lock(0, 0);
        return result == 0 ? System.nanoTime() - begin : 0;
    }

    private static long pagelock(ByteBuffer buffer) {
        long begin = System.nanoTime();
        PageLock lock = PageLocker.system().lock(buffer);
        long nanos = System.nanoTime() - begin;
        lock.close();
        return nanos;
    }
}
