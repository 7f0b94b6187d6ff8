// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import io.pagelock.backend.testkit.standin.OrdinaryUser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The contract over the stand-in where the Linux underneath binds this process, too, and really refuses. */
class MacosOrdinaryUserTest {
    @Test
    void theContractHolds() {
        OrdinaryUser.passes(MacosContractTest.class, 64 << 10);
    }

    @Test
    @EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
    void theContractHoldsUnderTheLargerLimitOfTodaysSystems() {
        OrdinaryUser.passes(MacosContractTest.class, 8 << 20);
    }
}
