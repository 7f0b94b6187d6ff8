// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.standin.StandInHarness;

/** The contract over the stand-in, in a process that may not lock at all. */
class FreeBsdContractWithoutRightTest extends BackendContract {
    @Override
    protected Harness open() {
        // The limit binds no process that may not lock at all.
        StandInHarness harness = FreeBsd.harness(false).without(Harness.Ability.SET_LIMIT);
        harness.forbid(true);
        return harness;
    }
}
