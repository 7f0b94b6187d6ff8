// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.sun.jna.Native;
import io.pagelock.backend.support.CLibraryTest.Known;
import io.pagelock.backend.support.CLibraryTest.Sizes;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The two ways of JNA, and its two widths. */
@EnabledOnOs({OS.LINUX, OS.MAC, OS.FREEBSD, OS.OPENBSD, OS.SOLARIS, OS.AIX})
class JnaLibraryTest {
    private static final boolean NARROW = Native.SIZE_T_SIZE == 4;

    private final JnaLibrary library = new JnaLibrary(null, NARROW, Collections.emptyMap());

    private MemoryCalls memoryCalls() {
        return library.bind(MethodHandles.lookup(), MemoryCalls.class, () -> new DirectMemoryCalls(null));
    }

    /** Where the quick binding lacks a function, the other one takes its place. */
    static final class DirectKnown extends DirectMemoryCalls implements Known {
        DirectKnown(CLibrary library) {
            super(library);
        }

        @Override
        public native int close(int fd);

        @Override
        public native int getpid();

        @Override
        public native int mincore(long addr, long len, byte[] vec);

        @Override
        public native int pagelock_has_no_such_function(int argument);
    }

    @Test
    void aMissingFunctionEndsTheQuickBindingAlone() {
        Known bound = library.bind(MethodHandles.lookup(), Known.class, () -> new DirectKnown(null));
        assertFalse(bound instanceof DirectKnown);
        assertEquals(ProcessHandle.current().pid(), bound.getpid());
    }

    // The two widths

    @Test
    void theQuickBindingIsForEightBytePointersAlone() {
        assertEquals(Native.SIZE_T_SIZE == 8, memoryCalls() instanceof DirectMemoryCalls);
    }

    private <T extends NativeCalls> T narrow(Class<T> calls) {
        return library.proxy(calls, true);
    }

    /**
     * The binding of 4-byte pointers, also in a process of 8-byte ones, where what it passes is right as long as it fits into 31
     * bits. That the upper half of a 32-bit address space arrives can only be seen on a 32-bit JVM.
     */
    @Test
    void theNarrowBindingPassesItsArgumentsInOrder() {
        MemoryCalls calls = narrow(MemoryCalls.class);
        assertEquals(memoryCalls().getpagesize(), calls.getpagesize());
        // Nothing can be mapped at page 1 by default, so the kernel refuses the range and not the arguments.
        int page = calls.getpagesize();
        assertEquals(-1, calls.munlock(page, page));
        assertEquals(12, calls.errno());
        assertEquals(-1, calls.msync(page + 1, page, 0));
        assertEquals(22, calls.errno());
        assertEquals(0, calls.munlock(page, 0));
        // What does not fit is cut off, not passed on in a second argument.
        assertEquals(0, calls.munlock(page + (1L << 32), 1L << 32));
        assertEquals(-1, narrow(Known.class).mincore(page, page, new byte[1]));
        assertEquals(12, calls.errno());
    }

    @Test
    void anArrayOfSizesHasFourBytesEachInTheNarrowBinding() {
        long[] sizes = {1, 0xfffffffeL};
        byte[] inC = ByteBuffer.allocate(8)
                .order(ByteOrder.nativeOrder())
                .putInt(1)
                .putInt(-2)
                .array();
        assertEquals(0, narrow(Sizes.class).memcmp(sizes, inC, 8));
        assertEquals(List.of(1L, 0xfffffffeL), List.of(sizes[0], sizes[1]), "read back unsigned");
    }
}
