// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.Reason;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.standin.StandInHarness;

/** The contract over the stand-in. The limits cannot be read, so none is declared. */
class IrixContractTest extends BackendContract {
    private static final int EBUSY = 16;
    private static final int ENOMEM = 12;

    @Override
    protected Harness open() {
        Irix irix = Irix.open();
        return new StandInHarness(irix.standIn, irix.backend(), new IrixProvider(), "mlock", "munlock", EBUSY)
                .with(Ability.LOCK_ADDRESS_SPACE, Ability.SEE_SYNC)
                .withUnlockAll("munlockall")
                .withRoomOf("maxlkmem", Reason.OVER_LIMIT)
                .withRefusal(ENOMEM);
    }
}
