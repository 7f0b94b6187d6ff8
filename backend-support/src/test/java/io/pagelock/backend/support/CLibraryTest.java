// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
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

    /** Results as wide as a pointer. */
    interface Copying extends NativeCalls {
        @SizeT
        long memcpy(byte[] to, long from, long length);

        @SizeT
        long memchr(long memory, int wanted, long length);
    }

    private final Known known = library.bind(MethodHandles.lookup(), Known.class);

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
        assertTrue(known.equals(known) && !known.toString().isEmpty(), "what every object has needs no C function");
        assertEquals(
                0,
                library.bind(MethodHandles.lookup(), Sizes.class)
                        .strncmp(CLibrary.string("page"), CLibrary.string("pages"), 4));
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
        PageLockException bind =
                assertThrows(PageLockException.class, () -> library.bind(MethodHandles.lookup(), Missing.class));
        PageLockException call = assertThrows(PageLockException.class, () -> known.pagelock_has_no_such_function(1));
        for (PageLockException each : List.of(bind, call)) {
            assertEquals(Reason.NOT_SUPPORTED, each.reason());
            assertTrue(each.getMessage().contains("pagelock_has_no_such_function"), each.getMessage());
        }
        assertFalse(known.has("pagelock_has_no_such_function"));
        assertTrue(known.has("getpid"));
    }

    /** As NetBSD's msync is; here getpid stands for a function that has another name in the library. */
    @Test
    void aRenamedFunctionIsFound() {
        CLibrary renamed =
                library.renaming("pagelock_has_no_such_function", "abs").renaming("getpagesize", "getpid");
        assertTrue(renamed.has("pagelock_has_no_such_function"));
        assertEquals(7, renamed.bind(MethodHandles.lookup(), Known.class).pagelock_has_no_such_function(-7));
        assertEquals(ProcessHandle.current().pid(), renamed.memoryCalls().getpagesize());
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
    void callsReallyLock() {
        MemoryCalls calls = library.memoryCalls();
        int page = calls.getpagesize();
        ByteBuffer buffer = ByteBuffer.allocateDirect(4 * page);
        long at = library.address(buffer) + page - 1 & -page;
        long before = ProcWitness.lockedBytes();
        assertEquals(0, calls.mlock(at, 2L * page));
        assertEquals(before + 2L * page, ProcWitness.lockedBytes());
        assertEquals(0, calls.munlock(at, page));
        assertEquals(before + page, ProcWitness.lockedBytes());
        assertEquals(0, calls.munlock(at, 2L * page));
        assertEquals(before, ProcWitness.lockedBytes());
        assertEquals(0, calls.msync(at, page, 0));
        assertEquals(-1, calls.mlockall(0));
        assertEquals(22, calls.errno());
        assertEquals(0, calls.munlockall());
        buffer.put(0, (byte) 1);
    }

    @Test
    void addressIsThatOfIndexZero() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(100);
        buffer.put(0, (byte) 42).position(10);
        long address = library.address(buffer);
        byte[] first = new byte[1];
        assertNotEquals(0, library.bind(MethodHandles.lookup(), Copying.class).memcpy(first, address, 1));
        assertEquals(42, first[0]);
        assertEquals(address, library.address(buffer.duplicate()));
        assertEquals(address + 10, library.address(buffer.slice()));
        assertEquals(address, library.address(buffer.asReadOnlyBuffer()));
    }

    @Test
    void aResultMayBeAPointer() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(100);
        buffer.put(7, (byte) 42);
        long address = library.address(buffer);
        Copying calls = library.bind(MethodHandles.lookup(), Copying.class);
        assertEquals(address + 7, calls.memchr(address, 42, 100));
        assertEquals(0, calls.memchr(address, 43, 100));
    }

    @Test
    void anArrayMayBeNull() {
        assertEquals(0, library.bind(MethodHandles.lookup(), Sizes.class).strncmp(null, null, 0));
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
}
