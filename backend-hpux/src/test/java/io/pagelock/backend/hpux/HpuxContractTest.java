// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.Reason;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.standin.StandInHarness;
import org.junit.jupiter.api.Nested;

/**
 * The contract over the stand-in, with and without the output of the probe. There is no limit per process; what happens to
 * pages without access and past the end of a file, the pages do not say.
 */
class HpuxContractTest {
    @Nested
    class WithProbe extends BackendContract {
        @Override
        protected Harness open() {
            Hpux hpux = Hpux.open();
            return harness(hpux, hpux.probed());
        }
    }

    @Nested
    class WithoutProbe extends BackendContract {
        @Override
        protected Harness open() {
            Hpux hpux = Hpux.open();
            return harness(hpux, hpux.unprobed());
        }
    }

    static Harness harness(Hpux hpux, HpuxBackend backend) {
        return new StandInHarness(hpux.standIn, backend, new HpuxProvider(), "mlock", "munlock", 5)
                .with(Ability.LOCK_ADDRESS_SPACE, Ability.SEE_SYNC)
                .withUnlockAll("munlockall")
                .withRoomOf("system_limit", Reason.NO_LOCKABLE_MEMORY)
                .withPermission("privileged");
    }
}
