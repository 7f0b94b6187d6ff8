// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.backend.testkit.Comparison;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.backend.testkit.standin.StandInCalls;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The stand-in itself, row by row against the comparison of systems: what memcntl answers, and what is locked then. */
class SolarisStandInTest {
    private static final int LOCK = 2;
    private static final int UNLOCK = 3;
    private static final int SYNC = 1;
    private static final int MS_SYNC = 4;
    private static final int MS_INVALIDATE = 2;
    private static final int LOCKAS = 5;
    private static final int UNLOCKAS = 6;

    private StandIn standIn;
    private Function memcntl;
    private long page;
    private long memory;

    /** memcntl in the place of mlock and its kin. */
    private static final class Calls extends StandInCalls {
        private Calls(StandIn standIn) {
            super(standIn, SolarisConstants.ERRNO::name);
            knobs("project", "system_limit", "privileged");
        }

        private String memcntl(long address, long length, int command, long argument) {
            return call("memcntl", word(address), word(length), command, word(argument), 0, 0);
        }

        @Override
        public String mlock(long address, long length) {
            return memcntl(address, length, LOCK, 0);
        }

        @Override
        public String munlock(long address, long length) {
            return memcntl(address, length, UNLOCK, 0);
        }

        @Override
        protected String mlockall(int flags) {
            return memcntl(0, 0, LOCKAS, flags);
        }

        @Override
        public String munlockall() {
            return memcntl(0, 0, UNLOCKAS, 0);
        }

        @Override
        public String msync(long address, long length, boolean invalidate) {
            return memcntl(address, length, SYNC, MS_SYNC | (invalidate ? MS_INVALIDATE : 0));
        }
    }

    @TestFactory
    Stream<DynamicTest> theStandInAnswersAsSolarisDoes() {
        return Comparison.tests("solaris", () -> new Calls(Solaris.open().standIn));
    }

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
        "length rounded up, 0, 1, OK, 1000",
        "two pages, 4096, 8192, OK, 0110",
        "over the end, 8192, 12288, ENOMEM, 0000",
    })
    void lockAnswers(String row, long offset, long length, String answer, String locked) {
        assertEquals(answer, call(memory + offset, length, LOCK, 0, 0, 0));
        assertEquals(locked, locked(memory, 4));
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
