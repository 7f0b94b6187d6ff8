// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.openbsd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.backend.testkit.Comparison;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.backend.testkit.standin.ForeignSystem;
import io.pagelock.backend.testkit.standin.StandInCalls;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The stand-in against what is known, and what the backend brings along for others. */
class OpenBsdStandInTest {
    @TestFactory
    Stream<DynamicTest> theStandInAnswersAsOpenBsdDoes() {
        return Comparison.tests(
                "openbsd",
                () -> new StandInCalls(OpenBsdContractTest.STAND_IN, OpenBsdBackend.ERRNO::name)
                        .knobs("memlock", null, null));
    }

    @Test
    void theRulesAreFoundByName() {
        assertEquals("OpenBSD", KernelRules.of("openbsd").system());
    }

    @Test
    void theBackendIsFoundAndCannotBeForcedOnAnotherSystem() {
        ForeignSystem.cannotBeForced(new OpenBsdProvider());
    }
}
