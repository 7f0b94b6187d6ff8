// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Finds the address of a direct buffer without a backend, which would have C for it: by {@code java.lang.foreign} from Java 22 on,
 * and before by {@code sun.misc.Unsafe}, which newer JDKs warn of.
 */
final class BufferAddress {
    private BufferAddress() {}

    /**
     * Returns the address of the first byte, at index 0.
     *
     * @throws UnsupportedOperationException if this JVM has neither way
     */
    static long of(ByteBuffer buffer) {
        try {
            return bySegment(buffer) - buffer.position();
        } catch (ReflectiveOperationException | LinkageError e) {
            return byUnsafe(buffer);
        }
    }

    private static long bySegment(ByteBuffer buffer) throws ReflectiveOperationException {
        if (!MemoryScopes.areThere()) {
            throw new NoSuchMethodException("MemorySegment.ofBuffer");
        }
        Class<?> type = Class.forName("java.lang.foreign.MemorySegment");
        Object segment = type.getMethod("ofBuffer", Buffer.class).invoke(null, buffer);
        return (long) type.getMethod("address").invoke(segment);
    }

    static long byUnsafe(ByteBuffer buffer) {
        try {
            Class<?> type = Class.forName("sun.misc.Unsafe");
            Field field = type.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            Object unsafe = field.get(null);
            Object offset = type.getMethod("objectFieldOffset", Field.class)
                    .invoke(unsafe, Buffer.class.getDeclaredField("address"));
            return (long) type.getMethod("getLong", Object.class, long.class).invoke(unsafe, buffer, offset);
        } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
            throw new UnsupportedOperationException("this JVM does not reveal the address of a buffer", e);
        }
    }
}
