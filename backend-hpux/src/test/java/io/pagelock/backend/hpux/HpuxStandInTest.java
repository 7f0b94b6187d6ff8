// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.backend.testkit.standin.StandIn;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The stand-in itself, row by row against the comparison of systems. */
class HpuxStandInTest {
    private StandIn standIn;
    private NativeLibrary library;
    private long page;
    private long memory;

    @BeforeEach
    void open() {
        standIn = Hpux.open().standIn;
        library = NativeLibrary.getInstance(standIn.file().toString());
        page = standIn.pageSize();
        memory = standIn.map(4);
    }

    @AfterEach
    void reset() {
        Hpux.open();
    }

    private String call(String function, Object... arguments) {
        int result = library.getFunction(function).invokeInt(arguments);
        return result == 0 ? "OK" : HpuxNumbers.read(null, 64).errno().name(Native.getLastError());
    }

    private String range(String function, long address, long length) {
        return call(function, Pointer.createConstant(address), Pointer.createConstant(length));
    }

    private String locked(long address, int pages) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pages; i++) {
            text.append(standIn.isLocked(address + i * page) ? 1 : 0);
        }
        return text.toString();
    }

    /** Offset and length in bytes from a mapping of 4 pages. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "unaligned is rounded outward, 4095, 2, OK, 1100",
        "length 0, 0, 0, EINVAL, 0000",
        "length 0 unaligned, 1, 0, EINVAL, 0000",
        "wraps, 0, -4096, ENOMEM, 0000",
        "over the end, 8192, 12288, ENOMEM, 0000",
        "two pages, 4096, 8192, OK, 0110"
    })
    void lockAnswers(String row, long offset, long length, String answer, String locked) {
        assertEquals(answer, range("mlock", memory + offset, length));
        assertEquals(locked, locked(memory, 4));
    }

    @Test
    void aHoleKeepsLockAndUnlockFromDoingAnything() {
        assertEquals("OK", range("mlock", memory, 2 * page));
        standIn.unmap(memory + 2 * page, 1);
        assertEquals("ENOMEM", range("mlock", memory, 4 * page));
        assertEquals("1100", locked(memory, 4));
        assertEquals("ENOMEM", range("munlock", memory, 4 * page));
        assertEquals("1100", locked(memory, 4));
    }

    @Test
    void oneUnlockEndsEveryLockAndWhatIsNotLockedIsUnlockedWithSuccess() {
        range("mlock", memory, page);
        range("mlock", memory, page);
        assertEquals("OK", range("munlock", memory, 4 * page));
        assertEquals("0000", locked(memory, 4));
    }

    @Test
    void theLimitIsThatOfTheSystem() {
        standIn.set("system_limit", page);
        assertEquals("EAGAIN", range("mlock", memory, 2 * page));
        assertEquals("EAGAIN", call("mlockall", 1));
        assertEquals("0000", locked(memory, 4));
    }

    @ParameterizedTest
    @CsvSource({"mlock", "munlock", "mlockall", "munlockall"})
    void everyCallNeedsThePrivilege(String function) {
        standIn.set("privileged", 0);
        assertEquals("EPERM", function.endsWith("all") ? call(function, 1) : range(function, memory, page));
    }

    @ParameterizedTest
    @CsvSource({"0, EINVAL", "4, EINVAL", "7, EINVAL"})
    void flagsWithoutMeaningAreRefused(int flags, String answer) {
        assertEquals(answer, call("mlockall", flags));
    }

    @Test
    void futureEndsWithMunlockall() {
        assertEquals("OK", call("mlockall", 2));
        assertEquals("1", locked(standIn.map(1), 1));
        assertEquals("OK", range("munlock", memory, page));
        assertEquals("1", locked(standIn.map(1), 1), "unlocking a range leaves it on");
        assertEquals("OK", call("munlockall"));
        assertEquals("0", locked(standIn.map(1), 1));
    }
}
