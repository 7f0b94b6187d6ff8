// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.backend.testkit.Harness;

/** Over the stand-in; {@link IrixRemoteTest} has the same over an agent. */
class IrixKernelTest extends IrixKernelCases {
    @Override
    protected Harness open() {
        return new IrixContractTest().open();
    }
}
