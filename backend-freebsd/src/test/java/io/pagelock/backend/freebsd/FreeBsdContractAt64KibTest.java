// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.standin.StandInHarness;

/** The contract over the stand-in, with the limit of FreeBSD's default login class. */
class FreeBsdContractAt64KibTest extends BackendContract {
    @Override
    protected Harness open() {
        StandInHarness harness = FreeBsd.harness(true);
        harness.setLimit(64 << 10);
        return harness;
    }
}
