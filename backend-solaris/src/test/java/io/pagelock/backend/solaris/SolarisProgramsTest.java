// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.KernelRules;

/** Random programs over the stand-in, against the rules of illumos. */
class SolarisProgramsTest extends BackendPrograms {
    @Override
    protected Harness open() {
        Solaris solaris = Solaris.open();
        return SolarisContractTest.harness(solaris, solaris.memcntl());
    }

    @Override
    protected KernelRules rules() {
        return KernelRules.of("solaris");
    }
}
