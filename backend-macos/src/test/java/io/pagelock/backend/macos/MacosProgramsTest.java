// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.KernelRules;

/** Random programs over the stand-in, against the rules of macOS. */
class MacosProgramsTest extends BackendPrograms {
    @Override
    protected Harness open() {
        return new MacosContractTest().open();
    }

    @Override
    protected KernelRules rules() {
        return KernelRules.of("macos");
    }
}
