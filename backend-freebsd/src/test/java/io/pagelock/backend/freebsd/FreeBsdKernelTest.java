// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.testkit.Harness;

/** Over the stand-in; {@link FreeBsdRemoteTest} has the same over an agent. */
class FreeBsdKernelTest extends FreeBsdKernelCases {
    @Override
    protected Harness open() {
        return FreeBsd.harness(false);
    }
}
