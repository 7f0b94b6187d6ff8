// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The names that diagnosis goes by; that the numbers are right is {@link LinuxConstantsTest}'s matter. */
class LinuxErrnoTableTest {
    @ParameterizedTest
    @CsvSource({
        "GENERIC, 11, EAGAIN", "ALPHA, 35, EAGAIN", "ALPHA, 11, ", "GENERIC, 38, ENOSYS", "MIPS, 89, ENOSYS",
        "MIPS, 38, ", "SPARC, 90, ENOSYS", "ALPHA, 78, ENOSYS", "POWERPC, 38, ENOSYS", "SPARC, 127, ECANCELED",
        "GENERIC, 125, ECANCELED", "GENERIC, 0, ", "GENERIC, 4095, "
    })
    void numberHasTheNameOfItsProcessor(LinuxConstants constants, int number, String name) {
        assertEquals(name, constants.errno.name(number));
    }

    @ParameterizedTest
    @EnumSource
    void diagnosisFindsItsNamesOnEveryProcessor(LinuxConstants constants) {
        for (String name :
                new String[] {"EPERM", "EACCES", "ENOMEM", "EAGAIN", "EINTR", "EBUSY", "EIO", "ENOSPC", "ENOSYS"}) {
            int number = constants.errno.numbers().get(name);
            assertEquals(name, constants.errno.name(number));
            assertTrue(constants.errno.is(number, name));
            assertFalse(constants.errno.is(number + 1000, name));
        }
        assertNull(constants.errno.name(-1));
    }
}
