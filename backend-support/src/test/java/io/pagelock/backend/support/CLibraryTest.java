// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs({OS.LINUX, OS.MAC, OS.FREEBSD, OS.OPENBSD, OS.SOLARIS, OS.AIX})
class CLibraryTest {
    private final CLibrary library = CLibrary.open(Host.current());

    /** Functions that fail in a known way, with the types of each width. */
    interface Known extends NativeCalls {
        int close(int fd);

        int getpid();

        int mincore(long addr, long len, byte[] vec);

        static int notAFunctionOfC() {
            return 0;
        }

        @MayBeMissing
        int pagelock_has_no_such_function(int argument);
    }

    interface Missing extends NativeCalls {
        int pagelock_has_no_such_function(int argument);
    }

    /** Of C: {@code size_t} and arrays of it, through functions that only read and write memory. */
    interface Sizes extends NativeCalls {
        int memcmp(@SizeT long[] left, byte[] right, long length);

        int strncmp(byte[] left, byte[] right, long length);
    }

    private final Known known = library.bind(Known.class);

    @Test
    void symbolsAreLookedUpInTheProcess() {
        for (String each : List.of("mlock", "munlock", "mlockall", "munlockall", "msync", "getpagesize")) {
            assertTrue(library.has(each), each);
        }
        assertFalse(library.has("pagelock_has_no_such_function"));
    }

    @Test
    void declaredFunctionsReachC() {
        assertEquals(ProcessHandle.current().pid(), known.getpid());
        assertTrue(known.toString().contains("Binding"), "what every object has needs no C function");
        assertEquals(0, library.bind(Sizes.class).strncmp(CLibrary.string("page"), CLibrary.string("pages"), 4));
    }

    @Test
    void errnoIsThatOfThisThreadsLastFailure() throws InterruptedException {
        int[] elsewhere = new int[1];
        assertEquals(-1, known.close(-1));
        Thread other = new Thread(() -> elsewhere[0] = known.errno());
        other.start();
        other.join();
        // EBADF is 9 on every Unix.
        assertEquals(9, known.errno());
        assertEquals(0, elsewhere[0]);
    }

    @Test
    void missingFunctionIsNotSupportedAndNamed() {
        PageLockException bind = assertThrows(PageLockException.class, () -> library.bind(Missing.class));
        PageLockException call = assertThrows(PageLockException.class, () -> known.pagelock_has_no_such_function(1));
        for (PageLockException each : List.of(bind, call)) {
            assertEquals(Reason.NOT_SUPPORTED, each.reason());
            assertTrue(each.getMessage().contains("pagelock_has_no_such_function"), each.getMessage());
            assertTrue(each.getCause() instanceof UnsatisfiedLinkError, String.valueOf(each.getCause()));
        }
        assertFalse(known.has("pagelock_has_no_such_function"));
        assertTrue(known.has("getpid"));
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
        Known bound = library.bind(Known.class, DirectKnown::new);
        assertFalse(bound instanceof DirectKnown);
        assertEquals(ProcessHandle.current().pid(), bound.getpid());
    }

    /** As NetBSD's msync is; here getpid stands for a function that has another name in the library. */
    @Test
    void aRenamedFunctionIsFoundInBothBindings() {
        CLibrary renamed =
                library.renaming("pagelock_has_no_such_function", "abs").renaming("getpagesize", "getpid");
        assertTrue(renamed.has("pagelock_has_no_such_function"));
        assertEquals(7, renamed.bind(Known.class).pagelock_has_no_such_function(-7));
        assertEquals(7, renamed.bind(Known.class, DirectKnown::new).pagelock_has_no_such_function(-7));
        assertEquals(ProcessHandle.current().pid(), renamed.memoryCalls().getpagesize());
        assertEquals(Native.SIZE_T_SIZE == 8, renamed.memoryCalls() instanceof DirectMemoryCalls);
        assertTrue(library.memoryCalls().getpagesize() >= 4096);
        assertFalse(library.has("pagelock_has_no_such_function"));
    }

    @Test
    void pageSizeIsThatOfTheSystem() throws IOException, InterruptedException {
        Process getconf = new ProcessBuilder("getconf", "PAGESIZE").start();
        String size = new String(getconf.getInputStream().readAllBytes()).trim();
        assertEquals(0, getconf.waitFor());
        assertEquals(Integer.parseInt(size), library.memoryCalls().getpagesize());
    }

    /** The witness is VmLck, so on Linux only. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void callsReallyLock() throws IOException {
        MemoryCalls calls = library.memoryCalls();
        int page = calls.getpagesize();
        ByteBuffer buffer = ByteBuffer.allocateDirect(4 * page);
        long at = library.address(buffer) + page - 1 & -page;
        long before = locked();
        assertEquals(0, calls.mlock(at, 2L * page));
        assertEquals(before + 2L * page, locked());
        assertEquals(0, calls.munlock(at, page));
        assertEquals(before + page, locked());
        assertEquals(0, calls.munlock(at, 2L * page));
        assertEquals(before, locked());
        assertEquals(0, calls.msync(at, page, 0));
        assertEquals(-1, calls.mlockall(0));
        assertEquals(22, calls.errno());
        assertEquals(0, calls.munlockall());
        buffer.put(0, (byte) 1);
    }

    private static long locked() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmLck:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void addressIsThatOfIndexZero() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(100);
        buffer.put(0, (byte) 42).position(10);
        long address = library.address(buffer);
        assertEquals(42, new Pointer(address).getByte(0));
        assertEquals(address, library.address(buffer.duplicate()));
        assertEquals(address + 10, library.address(buffer.slice()));
        assertEquals(address, library.address(buffer.asReadOnlyBuffer()));
    }

    @Test
    void bufferOnTheHeapHasNoAddress() {
        assertThrows(IllegalArgumentException.class, () -> library.address(ByteBuffer.allocate(1)));
    }

    @Test
    void anotherWidthThanTheProcessHasIsRefused() {
        Host host = new Host("Linux", "", "amd64", 96 - Host.current().bits());
        PageLockException thrown = assertThrows(PageLockException.class, () -> CLibrary.open(host));
        assertEquals(Reason.NOT_SUPPORTED, thrown.reason());
        assertTrue(thrown.detail().contains("pointers have " + Host.current().bits()), thrown.detail());
    }

    // The two widths

    @Test
    void theQuickBindingIsForEightBytePointersAlone() {
        assertEquals(Native.SIZE_T_SIZE == 8, library.memoryCalls() instanceof DirectMemoryCalls);
    }

    private <T> T narrow(Class<T> calls) {
        return calls.cast(Proxy.newProxyInstance(
                calls.getClassLoader(), new Class<?>[] {calls}, new Binding(library, calls, true)));
    }

    /**
     * The binding of 4-byte pointers, also in a process of 8-byte ones, where what it passes is right as long as it fits into 31
     * bits. That the upper half of a 32-bit address space arrives can only be seen on a 32-bit JVM.
     */
    @Test
    void theNarrowBindingPassesItsArgumentsInOrder() {
        MemoryCalls calls = narrow(MemoryCalls.class);
        assertEquals(library.memoryCalls().getpagesize(), calls.getpagesize());
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
