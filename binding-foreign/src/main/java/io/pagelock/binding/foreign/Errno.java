// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/**
 * Where each thread's calls leave errno. It is captured with the call, because the JVM may change the C library's own before Java
 * code can look at it.
 */
final class Errno {
    static final Linker.Option CAPTURED = Linker.Option.captureCallState("errno");

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final long OFFSET = STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
    /** Freed some time after its thread has ended. */
    private static final ThreadLocal<MemorySegment> OF_THREAD = new ThreadLocal<>() {
        @Override
        protected MemorySegment initialValue() {
            return Arena.ofAuto().allocate(STATE);
        }
    };

    private Errno() {}

    /** Returns the memory for this thread's next call. */
    static MemorySegment state() {
        return OF_THREAD.get();
    }

    static int get() {
        return state().get(ValueLayout.JAVA_INT, OFFSET);
    }
}
