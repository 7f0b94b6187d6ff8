// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.KernelRules;

/** Random programs over the stand-in, against the rules of IRIX. */
class IrixProgramsTest extends BackendPrograms {
    @Override
    protected Harness open() {
        return new IrixContractTest().open();
    }

    @Override
    protected KernelRules rules() {
        return KernelRules.of("irix");
    }
}
