// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Where each thread's calls leave errno. It is captured with the call, because the JVM may change the C library's own before Java
 * code can look at it.
 */
final class Errno {
    static final Linker.Option CAPTURED = Linker.Option.captureCallState("errno");

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final int OFFSET = offset();
    /** Freed some time after its thread has ended. */
    private static final ThreadLocal<Errno> OF_THREAD = new ThreadLocal<>() {
        @Override
        protected Errno initialValue() {
            return new Errno(Arena.ofAuto().allocate(STATE));
        }
    };

    private final MemorySegment state;
    /** The same memory: to read a segment takes a variable handle, whose first use takes milliseconds of the first lock. */
    private final ByteBuffer bytes;

    private Errno(MemorySegment state) {
        this.state = state;
        bytes = state.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    /** Not by a path, which takes milliseconds of the first lock. */
    private static int offset() {
        int offset = 0;
        for (MemoryLayout each : STATE.memberLayouts()) {
            if (each.name().orElse("").equals("errno")) {
                return offset;
            }
            offset += (int) each.byteSize();
        }
        throw new AssertionError(STATE);
    }

    /** Returns the memory for this thread's next call. */
    static MemorySegment state() {
        return OF_THREAD.get().state;
    }

    static int get() {
        return OF_THREAD.get().bytes.getInt(OFFSET);
    }
}
