// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.Comparison.System;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.TestFactory;

/** The rules of each system, row by row against what is known of it. */
class FakeKernelComparisonTest {
    @TestFactory
    Stream<DynamicContainer> theFakeKernelAnswersAsTheSystemDoes() {
        Map<System, KernelRules> rules = Map.of(
                System.LINUX, KernelRules.linux(),
                System.FREEBSD, KernelRules.freebsd(),
                System.SOLARIS, KernelRules.solaris().withPageSize(8192),
                System.HPUX, KernelRules.hpux(),
                System.IRIX, KernelRules.irix().withPageSize(16384));
        return Stream.of(System.values())
                .map(system -> DynamicContainer.dynamicContainer(
                        system.name(),
                        Comparison.tests(system, () -> new FakeCalls(new FakeKernel(rules.get(system))))));
    }
}
