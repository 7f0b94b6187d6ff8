// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;

/** The contract over the stand-in. */
class FreeBsdContractTest extends BackendContract {
    @Override
    protected Harness open() {
        return FreeBsd.harness(false);
    }
}
