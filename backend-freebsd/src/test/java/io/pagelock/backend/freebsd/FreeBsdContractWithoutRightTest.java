// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;

/** The contract over the stand-in, in a process that may not lock at all. */
class FreeBsdContractWithoutRightTest extends BackendContract {
    @Override
    protected Harness open() {
        return new FreeBsdHarness(Long.MAX_VALUE, false);
    }
}
