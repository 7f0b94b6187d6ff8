// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs({OS.LINUX, OS.MAC, OS.FREEBSD, OS.OPENBSD, OS.SOLARIS, OS.AIX})
class CLibraryTest {
    private final CLibrary library = CLibrary.open(Host.current());

    /** Functions that fail in a known way. */
    static final class Failing {
        native int close(int fd);

        native int getpid();
    }

    static final class Missing {
        native int pagelock_has_no_such_function(int argument);
    }

    @Test
    void symbolsAreLookedUpInTheProcess() {
        for (String each : List.of("mlock", "munlock", "mlockall", "munlockall", "msync", "getpagesize")) {
            assertTrue(library.has(each), each);
        }
        assertFalse(library.has("pagelock_has_no_such_function"));
    }

    @Test
    void boundMethodsReachC() {
        Failing failing = new Failing();
        assertSame(failing, library.bind(failing));
        assertEquals(ProcessHandle.current().pid(), failing.getpid());
        // Binding again, as a second backend in one process does, changes nothing.
        library.bind(new Failing());
        assertEquals(ProcessHandle.current().pid(), failing.getpid());
    }

    @Test
    void errnoIsThatOfThisThreadsLastFailure() throws InterruptedException {
        Failing failing = library.bind(new Failing());
        int[] elsewhere = new int[1];
        assertEquals(-1, failing.close(-1));
        Thread other = new Thread(() -> elsewhere[0] = library.errno());
        other.start();
        other.join();
        // EBADF is 9 on every Unix.
        assertEquals(9, library.errno());
        assertEquals(0, elsewhere[0]);
    }

    @Test
    void missingFunctionIsNotSupportedAndNamed() {
        PageLockException bind = assertThrows(PageLockException.class, () -> library.bind(new Missing()));
        PageLockException call =
                assertThrows(PageLockException.class, () -> library.call("pagelock_has_no_such_function", 1));
        for (PageLockException each : List.of(bind, call)) {
            assertEquals(Reason.NOT_SUPPORTED, each.reason());
            assertTrue(each.getMessage().contains("pagelock_has_no_such_function"), each.getMessage());
            assertTrue(each.getCause() instanceof UnsatisfiedLinkError, String.valueOf(each.getCause()));
        }
    }

    @Test
    void sizesAreAsWideAsC() {
        Number size = library.size(-4096);
        assertEquals(Host.current().bits() == 64 ? Long.class : Integer.class, size.getClass());
        assertEquals(-4096, size.intValue());
    }

    @Test
    void functionIsCalledByName() {
        assertEquals(ProcessHandle.current().pid(), library.call("getpid"));
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
        assertEquals(22, library.errno());
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

    private static List<String> natives(Class<?> binding) {
        return Arrays.stream(binding.getDeclaredMethods())
                .filter(each -> java.lang.reflect.Modifier.isNative(each.getModifiers()))
                .map(each -> each.getName() + Arrays.toString(each.getParameterTypes()))
                .sorted()
                .collect(Collectors.toList());
    }

    @Test
    void sizesAreAsWideAsSizeT() {
        assertEquals(
                List.of(
                        "getpagesize[]",
                        "mlock[long, long]",
                        "mlockall[int]",
                        "msync[long, long, int]",
                        "munlock[long, long]",
                        "munlockall[]"),
                natives(Lp64MemoryCalls.class));
        assertEquals(
                List.of(
                        "getpagesize[]",
                        "mlock[int, int]",
                        "mlockall[int]",
                        "msync[int, int, int]",
                        "munlock[int, int]",
                        "munlockall[]"),
                natives(Ilp32MemoryCalls.class));
    }

    @Test
    void widthIsThatOfTheProcess() {
        assertEquals(
                Native.SIZE_T_SIZE == 8 ? Lp64MemoryCalls.class : Ilp32MemoryCalls.class,
                library.memoryCalls().getClass());
    }

    /**
     * The 32-bit binding in a 64-bit process: what it passes is right for what fits into 31 bits. That the upper half of a
     * 32-bit address space arrives can only be seen on a 32-bit JVM.
     */
    @Test
    void narrowBindingPassesItsArgumentsInOrder() {
        assumeTrue(Native.SIZE_T_SIZE == 8, "the other tests use it on this JVM");
        Ilp32MemoryCalls calls = library.bind(new Ilp32MemoryCalls());
        assertEquals(library.memoryCalls().getpagesize(), calls.getpagesize());
        // Nothing can be mapped at page 1 by default, so the kernel refuses the range and not the arguments.
        int page = calls.getpagesize();
        assertEquals(-1, calls.munlock(page, page));
        assertEquals(12, library.errno());
        assertEquals(-1, calls.msync(page + 1, page, 0));
        assertEquals(22, library.errno());
        assertEquals(0, calls.munlock(page, 0));
    }
}
