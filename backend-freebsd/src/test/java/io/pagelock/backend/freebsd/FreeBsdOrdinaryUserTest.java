// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.testkit.standin.OrdinaryUser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The contract over the stand-in where the Linux underneath binds this process, too, and really refuses. */
class FreeBsdOrdinaryUserTest {
    @Test
    void theContractHoldsOnFreeBsdsDefaultLimit() {
        OrdinaryUser.passes(FreeBsdContractAt64KibTest.class, 64 << 10);
    }

    @Test
    @EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
    void theContractHolds() {
        OrdinaryUser.passes(FreeBsdContractTest.class, 8 << 20);
    }
}
