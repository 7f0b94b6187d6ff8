// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.support.NativeAccess;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native memory for a structure of C. It is zeroed, stays where it is, and is freed when nothing refers to this object any more;
 * no binding copies it before or after a call. A direct buffer, so that every binding has it.
 */
final class NativeBlock {
    final ByteBuffer bytes;
    final long address;

    private final boolean wide;

    /** @param wide whether pointers have 8 bytes; otherwise 4 */
    NativeBlock(NativeAccess memory, boolean wide, int size) {
        this.wide = wide;
        bytes = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
        address = memory.address(bytes);
    }

    void clear() {
        for (int at = 0; at < bytes.capacity(); at++) {
            bytes.put(at, (byte) 0);
        }
    }

    /** Writes a pointer or size_t. */
    void putWord(int at, long value) {
        if (wide) {
            bytes.putLong(at, value);
        } else {
            bytes.putInt(at, (int) value);
        }
    }

    long getWord(int at) {
        return wide ? bytes.getLong(at) : bytes.getInt(at) & 0xffffffffL;
    }

    /** Keeps the memory reachable up to here, while C uses its address; Reference.reachabilityFence came with Java 9. */
    void keepReachable() {
        synchronized (bytes) {
            bytes.capacity();
        }
    }
}
