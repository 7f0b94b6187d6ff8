// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.backend.testkit.standin.StandIn;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The stand-in itself, row by row against the comparison of systems: what memcntl answers, and what is locked then. */
class SolarisStandInTest {
    private static final int LOCK = 2;
    private static final int UNLOCK = 3;
    private static final int LOCKAS = 5;
    private static final int UNLOCKAS = 6;

    private StandIn standIn;
    private Function memcntl;
    private long page;
    private long memory;

    @BeforeEach
    void open() {
        standIn = Solaris.open().standIn;
        memcntl = NativeLibrary.getInstance(standIn.file().toString()).getFunction("memcntl");
        page = standIn.pageSize();
        memory = standIn.map(4);
    }

    @AfterEach
    void reset() {
        Solaris.open();
    }

    private String call(long address, long length, int command, long argument, int attributes, int mask) {
        int result = memcntl.invokeInt(new Object[] {
            Pointer.createConstant(address),
            Pointer.createConstant(length),
            command,
            Pointer.createConstant(argument),
            attributes,
            mask
        });
        return result == 0 ? "OK" : SolarisConstants.ERRNO.name(Native.getLastError());
    }

    private String locked(long address, int pages) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pages; i++) {
            text.append(standIn.isLocked(address + i * page) ? 1 : 0);
        }
        return text.toString();
    }

    /** Offset and length in bytes from a mapping of 4 pages, before which nothing is mapped. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "unaligned address, 1, 4096, EINVAL, 0000",
        "length 0 aligned, 0, 0, EINVAL, 0000",
        "length 0 unaligned, 1, 0, EINVAL, 0000",
        "length wraps, 0, -4096, ENOMEM, 0000",
        "length within a page of the greatest, 0, -1, ENOMEM, 0000",
        "length rounded up, 0, 1, OK, 1000",
        "two pages, 4096, 8192, OK, 0110",
        "over the end, 8192, 12288, ENOMEM, 0000",
    })
    void lockAnswers(String row, long offset, long length, String answer, String locked) {
        assertEquals(answer, call(memory + offset, length, LOCK, 0, 0, 0));
        assertEquals(locked, locked(memory, 4));
    }

    @Test
    void aHoleUndoesALockButNotAnUnlock() {
        standIn.unmap(memory + 2 * page, 1);
        assertEquals("ENOMEM", call(memory, 4 * page, LOCK, 0, 0, 0));
        assertEquals("0000", locked(memory, 4));
        assertEquals("OK", call(memory, 2 * page, LOCK, 0, 0, 0));
        assertEquals("OK", call(memory + 3 * page, page, LOCK, 0, 0, 0));
        assertEquals("ENOMEM", call(memory, 4 * page, UNLOCK, 0, 0, 0));
        assertEquals("0001", locked(memory, 4));
    }

    @Test
    void oneUnlockEndsEveryLockAndWhatIsNotLockedIsUnlockedWithSuccess() {
        assertEquals("OK", call(memory, page, LOCK, 0, 0, 0));
        assertEquals("OK", call(memory, page, LOCK, 0, 0, 0));
        assertEquals("OK", call(memory, 4 * page, UNLOCK, 0, 0, 0));
        assertEquals("0000", locked(memory, 4));
        assertEquals(0, standIn.lockedBytes());
    }

    @Test
    void aResourceControlIsTryAgainAndOnlyNewPagesCount() {
        standIn.set("project", 2 * page);
        assertEquals("EAGAIN", call(memory, 3 * page, LOCK, 0, 0, 0));
        assertEquals("OK", call(memory, 2 * page, LOCK, 0, 0, 0));
        assertEquals("OK", call(memory, 2 * page, LOCK, 0, 0, 0));
        assertEquals("EAGAIN", call(memory, 3 * page, LOCK, 0, 0, 0));
        assertEquals("1100", locked(memory, 4));
    }

    /** Mask, alignment, length, range and attributes are looked at first. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "mask, 0, 4096, 2, 0, 0, 1, EINVAL",
        "alignment, 1, 4096, 2, 0, 0, 0, EINVAL",
        "wrap, 0, -4096, 2, 0, 0, 0, ENOMEM",
        "both shared and private, 0, 4096, 2, 0, 48, 0, EINVAL",
        "lock, 0, 4096, 2, 0, 0, 0, EPERM",
        "unlock, 0, 4096, 3, 0, 0, 0, EPERM",
        "lock over a hole, 0, 40960, 2, 0, 0, 0, EPERM",
        "sync, 0, 4096, 1, 4, 0, 0, OK"
    })
    void thePrivilegeIsAskedForAfterTheArguments(
            String row, long offset, long length, int command, long argument, int attributes, int mask, String answer) {
        standIn.set("privileged", 0);
        assertEquals(answer, call(memory + offset, length, command, argument, attributes, mask));
    }

    @Test
    void badFlagsForTheAddressSpaceAreFoundAfterThePrivilege() {
        assertEquals("EINVAL", call(0, 0, LOCKAS, 0, 0, 0));
        assertEquals("EINVAL", call(0, 0, LOCKAS, 4, 0, 0));
        assertEquals("EINVAL", call(memory, page, LOCKAS, 1, 0, 0));
        standIn.set("privileged", 0);
        assertEquals("EPERM", call(0, 0, LOCKAS, 0, 0, 0));
        assertEquals("EPERM", call(0, 0, UNLOCKAS, 0, 0, 0));
    }

    @Test
    void aFailedLockOfEverythingLeavesFutureOn() {
        standIn.set("project", page);
        assertEquals("EAGAIN", call(0, 0, LOCKAS, 3, 0, 0));
        assertEquals("0000", locked(memory, 4));
        assertEquals("1", locked(standIn.map(1), 1));
        assertEquals("OK", call(0, 0, UNLOCKAS, 0, 0, 0));
        assertEquals("0", locked(standIn.map(1), 1));
    }

    @Test
    void currentLeavesFutureOn() {
        assertEquals("OK", call(0, 0, LOCKAS, 2, 0, 0));
        assertEquals("OK", call(0, 0, LOCKAS, 1, 0, 0));
        assertEquals("1111", locked(memory, 4));
        assertEquals("1", locked(standIn.map(1), 1));
    }

    @Test
    void whatCannotBeLockedIsPassedOverWithSuccess() {
        long file = standIn.mapFile(2);
        standIn.truncate(file, 1);
        assertEquals("OK", call(file, 2 * page, LOCK, 0, 0, 0));
        assertEquals("10", locked(file, 2));
        long reserved = standIn.mapNoReserve(2);
        standIn.touch(reserved + page);
        assertEquals("OK", call(reserved, 2 * page, LOCK, 0, 0, 0));
        assertEquals("01", locked(reserved, 2));
        standIn.protect(memory, 1);
        assertEquals("OK", call(memory, page, LOCK, 0, 0, 0));
        assertEquals("1000", locked(memory, 4));
    }

    @ParameterizedTest(name = "flags {0}")
    @CsvSource({
        "0, OK, OK",
        "1, OK, OK",
        "4, OK, OK",
        "2, OK, EBUSY",
        "6, OK, EBUSY",
        "5, EINVAL, EINVAL",
        "8, EINVAL, EINVAL"
    })
    void syncAnswers(long flags, String unlocked, String locked) {
        assertEquals(unlocked, call(memory, 2 * page, 1, flags, 0, 0));
        assertEquals("OK", call(memory, page, LOCK, 0, 0, 0));
        assertEquals(locked, call(memory, 2 * page, 1, flags, 0, 0));
        assertEquals("EINVAL", call(memory + 1, page, 1, flags, 0, 0));
    }

    @Test
    void mctlRefusesANegativeLength() {
        Function mctl = NativeLibrary.getInstance(standIn.file().toString()).getFunction("mctl");
        Object[] arguments = {Pointer.createConstant(memory), Pointer.createConstant(-page), LOCK, 0};
        assertEquals(-1, mctl.invokeInt(arguments));
        assertEquals("EINVAL", SolarisConstants.ERRNO.name(Native.getLastError()));
    }
}
