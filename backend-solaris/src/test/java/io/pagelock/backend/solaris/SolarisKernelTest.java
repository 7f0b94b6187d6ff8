// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.backend.testkit.Harness;
import org.junit.jupiter.api.Nested;

/** Over the stand-in, through each of the two functions; {@link SolarisRemoteTest} has the same over an agent. */
class SolarisKernelTest {
    @Nested
    class ThroughMemcntl extends SolarisKernelCases {
        ThroughMemcntl() {
            super("memcntl");
        }

        @Override
        protected Harness open() {
            Solaris solaris = Solaris.open();
            return SolarisContractTest.harness(solaris, solaris.memcntl());
        }
    }

    @Nested
    class ThroughMctl extends SolarisKernelCases {
        ThroughMctl() {
            super("mctl");
        }

        @Override
        protected Harness open() {
            Solaris solaris = Solaris.open();
            return SolarisContractTest.harness(solaris, solaris.mctl());
        }
    }
}
