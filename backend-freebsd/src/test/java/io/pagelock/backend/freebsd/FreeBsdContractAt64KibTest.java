// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;

/** The contract over the stand-in, with the limit of FreeBSD's default login class. */
class FreeBsdContractAt64KibTest extends BackendContract {
    @Override
    protected Harness open() {
        return new FreeBsdHarness(64 << 10, true);
    }
}
