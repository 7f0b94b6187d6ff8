// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.Comparison;
import io.pagelock.backend.testkit.RawCalls;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.backend.testkit.standin.StandInCalls;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The stand-in itself: row by row against the comparison of systems, and what IRIX alone has. */
class IrixStandInTest {
    /** Through mlock and munlock, or through mpin and munpin, by which the backend finds holes. */
    private static final class Calls extends StandInCalls {
        private final boolean pin;

        private Calls(StandIn standIn, boolean pin) {
            super(standIn, IrixNumbers.read(null, 64).errno()::name);
            this.pin = pin;
            knobs("maxlkmem", "system_limit", "superuser");
        }

        @Override
        public String mlock(long address, long length) {
            return call(pin ? "mpin" : "mlock", word(address), word(length));
        }

        @Override
        public String munlock(long address, long length) {
            return call(pin ? "munpin" : "munlock", word(address), word(length));
        }
    }

    private static Calls calls(boolean pin) {
        return new Calls(Irix.open().standIn, pin);
    }

    @TestFactory
    Stream<DynamicTest> theStandInAnswersAsIrixDoes() {
        return Comparison.tests("irix", () -> calls(false));
    }

    @Test
    void pinsAreCountedByPage() {
        try (RawCalls calls = calls(true)) {
            long page = calls.pageSize();
            long memory = calls.map(2);
            assertEquals("OK", calls.mlock(memory, 2 * page));
            assertEquals("OK", calls.mlock(memory, page));
            assertEquals("OK", calls.munlock(memory, 2 * page));
            assertTrue(calls.isLocked(memory));
            assertFalse(calls.isLocked(memory + page));
            assertEquals("OK", calls.munlock(memory, page));
            assertFalse(calls.isLocked(memory));
        }
    }

    /** Where mlock says ENOMEM. */
    @Test
    void mpinCallsAHoleAndAWrapInvalid() {
        try (RawCalls calls = calls(true)) {
            long page = calls.pageSize();
            long memory = calls.map(3);
            assertEquals("EINVAL", calls.mlock(memory, -memory + page));
            calls.unmap(memory + page, 1);
            assertEquals("EINVAL", calls.mlock(memory, 3 * page));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theResidentLimitBindsTheSuperuserToo(boolean superuser) {
        try (RawCalls calls = calls(false)) {
            long page = calls.pageSize();
            long memory = calls.map(3);
            calls.privilege(superuser);
            Irix.standIn().set("resident", 2 * page);
            assertEquals("ENOMEM", calls.mlock(memory, 3 * page));
            calls.munlock(memory, 3 * page);
            assertEquals("OK", calls.mlock(memory, 2 * page));
        }
    }
}
