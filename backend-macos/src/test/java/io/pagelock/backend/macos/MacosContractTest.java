// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import io.pagelock.Reason;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.standin.StandInHarness;

/** The contract over the stand-in. What becomes of pages without access, the sources do not decide. */
class MacosContractTest extends BackendContract {
    private static final int EINTR = 4;
    private static final int EAGAIN = 35;

    @Override
    protected Harness open() {
        Macos macos = Macos.open();
        return new StandInHarness(macos.standIn, macos.backend(), new MacosProvider(), "mlock", "munlock", EINTR)
                .with(Ability.SEE_SYNC, Ability.TRUNCATE)
                .withLimit("memlock")
                .withSystemLimit("global_wire_limit")
                .withRoomOf("memlock", Reason.OVER_LIMIT)
                .withRefusal(EAGAIN);
    }
}
