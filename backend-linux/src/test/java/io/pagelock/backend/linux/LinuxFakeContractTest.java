// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.spi.Host;
import org.junit.jupiter.api.Nested;

/** The contract on the fake kernel with the rules of Linux, and with several processors' numbers, pages and widths. */
class LinuxFakeContractTest {
    private static Harness harness(KernelRules rules, String arch) {
        Host host = new Host("Linux", "6.18.0", arch, rules.addressBits());
        return FakeLinux.harness(
                new FakeKernel(rules), LinuxConstants.forArch(arch).orElseThrow(), host);
    }

    @Nested
    class OnX86 extends BackendContract {
        @Override
        protected Harness open() {
            return harness(KernelRules.of("linux"), "amd64");
        }
    }

    @Nested
    class OnPower extends BackendContract {
        @Override
        protected Harness open() {
            return harness(KernelRules.of("linux").withPageSize(65536), "ppc64le");
        }
    }

    @Nested
    class OnMips extends BackendContract {
        @Override
        protected Harness open() {
            return harness(KernelRules.of("linux").withPageSize(16384).withAddressBits(32), "mips");
        }
    }

    @Nested
    class OnAlpha extends BackendContract {
        @Override
        protected Harness open() {
            return harness(KernelRules.of("linux").withPageSize(8192), "alpha");
        }
    }
}
