// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.Reason;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.standin.StandInHarness;
import org.junit.jupiter.api.Nested;

/** The contract over the stand-in, through each of the two functions. PROTECT is left out: Solaris locks such pages. */
class SolarisContractTest {
    @Nested
    class ThroughMemcntl extends BackendContract {
        @Override
        protected Harness open() {
            Solaris solaris = Solaris.open();
            return harness(solaris, solaris.memcntl());
        }
    }

    @Nested
    class ThroughMctl extends BackendContract {
        @Override
        protected Harness open() {
            Solaris solaris = Solaris.open();
            return harness(solaris, solaris.mctl());
        }
    }

    static Harness harness(Solaris solaris, SolarisBackend backend) {
        return new StandInHarness(
                        solaris.standIn,
                        backend,
                        new SolarisProvider(),
                        "MC_LOCK",
                        "MC_UNLOCK",
                        SolarisConstants.ERRNO.numbers().get("EIO"))
                .with(
                        Ability.TRUNCATE,
                        Ability.SHORTEN_LOCKED,
                        Ability.MAP_UNLOCKABLE,
                        Ability.LOCK_ADDRESS_SPACE,
                        Ability.SEE_SYNC)
                .withUnlockAll("MC_UNLOCKAS")
                .withLimit("project")
                .withRoomOf("project", Reason.OVER_LIMIT)
                .withPermission("privileged")
                .withRefusal(SolarisConstants.ERRNO.numbers().get("EAGAIN"));
    }
}
