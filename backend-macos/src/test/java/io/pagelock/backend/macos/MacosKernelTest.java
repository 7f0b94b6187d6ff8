// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import io.pagelock.backend.testkit.Harness;

/** Over the stand-in; {@link MacosRemoteTest} has the same over an agent. */
class MacosKernelTest extends MacosKernelCases {
    @Override
    protected Harness open() {
        return new MacosContractTest().open();
    }
}
