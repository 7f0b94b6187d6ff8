// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The contract on the kernel of this machine, with the rights of whoever runs it; in other lives by {@link LivesTest}. */
@EnabledOnOs(OS.LINUX)
class LinuxContractTest extends BackendContract {
    @Override
    protected Harness open() {
        return new LinuxHarness();
    }
}
