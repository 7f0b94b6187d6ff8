// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.Reason;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.standin.StandInHarness;
import org.junit.jupiter.api.Nested;

/** The contract over the stand-in, through each of the two families. The limits cannot be read, so none is declared. */
class IrixContractTest {
    private static final int EBUSY = 16;
    private static final int ENOMEM = 12;

    @Nested
    class ThroughMlock extends BackendContract {
        @Override
        protected Harness open() {
            Irix irix = Irix.open();
            return new StandInHarness(irix.standIn, irix.backend(false), new IrixProvider(), "mlock", "munlock", EBUSY)
                    .with(Ability.LOCK_ADDRESS_SPACE)
                    .withRoomOf("maxlkmem", Reason.OVER_LIMIT)
                    .withRefusal(ENOMEM);
        }
    }

    @Nested
    class ThroughMpin extends BackendContract {
        @Override
        protected Harness open() {
            Irix irix = Irix.open();
            return new StandInHarness(irix.standIn, irix.backend(true), new IrixProvider(), "mpin", "munpin", EBUSY)
                    .with(Ability.LOCK_ADDRESS_SPACE)
                    .withRoomOf("maxlkmem", Reason.OVER_LIMIT);
        }
    }
}
