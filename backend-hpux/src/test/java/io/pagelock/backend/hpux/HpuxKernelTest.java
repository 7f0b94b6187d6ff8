// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.backend.testkit.Harness;

/** Over the stand-in; {@link HpuxRemoteTest} has the same over an agent. */
class HpuxKernelTest extends HpuxKernelCases {
    @Override
    protected Harness open() {
        Hpux hpux = Hpux.open();
        return HpuxContractTest.harness(hpux, hpux.probed());
    }
}
