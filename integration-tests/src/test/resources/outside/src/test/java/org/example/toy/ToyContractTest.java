// SPDX-License-Identifier: Apache-2.0
package org.example.toy;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.FakeHarness;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.Harness;

class ToyContractTest extends BackendContract {
    @Override
    protected Harness open() {
        FakeKernel kernel = ToyProvider.kernel();
        kernel.setPrivileged(true);
        return new FakeHarness(kernel, ToyProvider.over(kernel));
    }
}
