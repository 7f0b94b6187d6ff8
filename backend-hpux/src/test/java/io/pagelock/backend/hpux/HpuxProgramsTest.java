// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.KernelRules;

/** Random programs over the stand-in, against the rules of HP-UX. */
class HpuxProgramsTest extends BackendPrograms {
    @Override
    protected Harness open() {
        Hpux hpux = Hpux.open();
        return HpuxContractTest.harness(hpux, hpux.probed());
    }

    @Override
    protected KernelRules rules() {
        return KernelRules.of("hpux");
    }
}
