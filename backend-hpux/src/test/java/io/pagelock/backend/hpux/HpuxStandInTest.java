// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.backend.testkit.Comparison;
import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.RawCalls;
import io.pagelock.backend.testkit.standin.StandInCalls;
import java.util.EnumSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The stand-in itself, row by row against the comparison of systems. */
class HpuxStandInTest {
    private static RawCalls calls() {
        return new StandInCalls(Hpux.open().standIn, HpuxNumbers.read(null, 64).errno()::name)
                .knobs(null, "system_limit", "privileged");
    }

    @TestFactory
    Stream<DynamicTest> theStandInAnswersAsHpuxDoes() {
        return Comparison.tests("hpux", HpuxStandInTest::calls);
    }

    /** The manual page has no error for it; the stand-in's is that of mlock. */
    @Test
    void theLimitOfTheSystemBindsMlockallToo() {
        try (RawCalls calls = calls()) {
            calls.limitSystem(1);
            assertEquals("EAGAIN", calls.mlockall(EnumSet.of(Flag.CURRENT)));
        }
    }
}
