// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import org.junit.jupiter.api.Nested;

/** The same tests through each of the two functions. */
class SolarisFailureTest {
    @Nested
    class ThroughMemcntl extends SolarisFailures {
        ThroughMemcntl() {
            super("memcntl");
        }
    }

    @Nested
    class ThroughMctl extends SolarisFailures {
        ThroughMctl() {
            super("mctl");
        }
    }
}
