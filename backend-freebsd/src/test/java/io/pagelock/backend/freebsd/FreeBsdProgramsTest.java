// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.KernelRules;

/** Random programs over the stand-in, against the rules of FreeBSD. */
class FreeBsdProgramsTest extends BackendPrograms {
    @Override
    protected Harness open() {
        return FreeBsd.harness(false);
    }

    @Override
    protected KernelRules rules() {
        return KernelRules.of("freebsd");
    }
}
