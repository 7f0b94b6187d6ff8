// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.backend.testkit.standin.OrdinaryUser;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract over the stand-in where the Linux underneath binds this process, too, and really refuses. */
class SolarisOrdinaryUserTest {
    @ParameterizedTest
    @ValueSource(longs = {64 << 10, 8 << 20})
    void theContractHolds(long limit) {
        OrdinaryUser.passes(SolarisContractTest.class, limit);
    }
}
