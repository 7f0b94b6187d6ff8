// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.BoundLibrary;
import io.pagelock.backend.support.MayBeMissing;
import io.pagelock.backend.support.MemoryCalls;
import io.pagelock.backend.support.NativeCalls;
import io.pagelock.backend.support.SizeT;
import io.pagelock.spi.Host;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What this binding has of its own, its widths above all; what every binding must do is in the tests of CLibrary. */
class ForeignLibraryTest {
    private static final Host HOST = Host.current();

    private final ForeignLibrary library = (ForeignLibrary) open(null);

    private static BoundLibrary open(String name) {
        return new ForeignBinding().open(HOST, name, Collections.emptyMap());
    }

    interface Known extends NativeCalls {
        int abs(int number);

        int close(int fd);

        long labs(long number);

        int memcmp(@SizeT long[] left, byte[] right, long length);

        @SizeT
        long memcpy(@SizeT long[] to, byte[] from, long length);

        @SizeT
        long mmap(long address, long length, int protection, int flags, int fd, long offset);

        @SizeT
        long pread(int fd, byte[] to, long length, long offset);

        @MayBeMissing
        long pagelock_has_no_such_function(int argument, byte[] more);

        default int twice(int number) {
            return 2 * abs(number);
        }

        static int notOfC() {
            return 0;
        }
    }

    interface Wrong extends NativeCalls {
        int abs(String text);
    }

    private Known known(boolean narrow) {
        return library.bind(MethodHandles.lookup(), Known.class, narrow);
    }

    @Test
    void eachMethodReachesItsFunction() {
        Known calls = known(false);
        assertEquals(7, calls.abs(-7));
        assertEquals(14, calls.twice(-7));
        assertEquals(1L << 40, calls.labs(-1L << 40));
        assertTrue(calls.has("abs") && !calls.has("pagelock_has_no_such_function"));
        assertFalse(calls.toString().isEmpty());
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> calls.pagelock_has_no_such_function(1, null));
        assertEquals(Reason.NOT_SUPPORTED, thrown.reason());
    }

    /** Those with fewer share the shape for three, see {@link Downcall#LEAST}. */
    @Test
    void functionsOfMoreThanThreeArgumentsGetTheirOwnShape() {
        Known calls = known(false);
        // Refused for its last argument; without that, for the one before.
        assertEquals(-1, calls.mmap(0, 1, 0, 2, -1, 1));
        assertEquals(22, calls.errno());
        assertEquals(-1, calls.pread(-1, new byte[1], 1, 0));
        assertEquals(9, calls.errno());
    }

    /** With 4-byte pointers, also in a process of 8-byte ones, where what it passes is right as long as it fits into 31 bits. */
    @Test
    void theNarrowBindingPassesPointersAndSizesInFourBytes() {
        MemoryCalls calls = library.bind(MethodHandles.lookup(), MemoryCalls.class, true);
        int page = calls.getpagesize();
        // Nothing can be mapped at page 1 by default, so the kernel refuses the range and not the arguments.
        assertEquals(-1, calls.munlock(page, page));
        assertEquals(12, calls.errno());
        assertEquals(-1, calls.msync(page + 1, page, 0));
        assertEquals(22, calls.errno());
        // What does not fit is cut off, not passed on in a second argument.
        assertEquals(0, calls.munlock(page + (1L << 32), 1L << 32));
    }

    /** Not through C: where pointers have 8 bytes, those of the copies do not fit. */
    @Test
    void anArrayOfSizesHasFourBytesEachInTheNarrowBinding() {
        long[] sizes = {1, 0xfffffffeL};
        int[] inC = Downcall.narrow(sizes);
        assertArrayEquals(new int[] {1, -2}, inC);
        long[] back = new long[2];
        Downcall.widen(inC, back);
        assertArrayEquals(sizes, back, "read back unsigned");
    }

    @Test
    void arraysAreCopiedThereAndBack() {
        long[] to = {1, 2};
        byte[] from = ByteBuffer.allocate(16)
                .order(ByteOrder.nativeOrder())
                .putLong(3)
                .putLong(-4)
                .array();
        assertTrue(known(false).memcpy(to, from, 16) != 0);
        assertArrayEquals(new long[] {3, -4}, to);
        assertEquals(0, known(false).memcmp(to, from, 16));
    }

    /** The other thread's call fails in another way. */
    @Test
    void errnoBelongsToTheThread() throws InterruptedException {
        Known calls = known(false);
        assertEquals(-1, calls.close(-1));
        Thread other = new Thread(() ->
                library.bind(MethodHandles.lookup(), MemoryCalls.class, false).mlockall(0));
        other.start();
        other.join();
        assertEquals(9, calls.errno());
        assertEquals(9, library.errno());
    }

    @Test
    void mistakesOfTheCallerAreNamed() {
        IllegalArgumentException type = assertThrows(
                IllegalArgumentException.class, () -> library.bind(MethodHandles.lookup(), Wrong.class, false));
        assertTrue(type.getMessage().contains("java.lang.String"), type.getMessage());
        IllegalArgumentException lookup = assertThrows(
                IllegalArgumentException.class, () -> library.bind(MethodHandles.publicLookup(), Known.class, false));
        assertTrue(lookup.getMessage().contains("gives no full access"), lookup.getMessage());
    }

    @Test
    void aLibraryThatIsNotThereIsNamed() {
        for (String name : List.of("pagelock-has-no-such-library", "/no/such/library.so")) {
            PageLockException thrown = assertThrows(PageLockException.class, () -> open(name));
            assertEquals(Reason.NOT_SUPPORTED, thrown.reason());
            assertTrue(thrown.detail().contains(name), thrown.detail());
        }
    }

    @Test
    void anotherWidthThanTheProcessHasIsRefused() {
        Host host = new Host("Linux", "", "amd64", 96 - HOST.bits());
        assertTrue(new ForeignBinding().refusal(HOST).isEmpty());
        assertTrue(new ForeignBinding().refusal(host).orElseThrow().detail().contains("pointers have " + HOST.bits()));
    }
}
