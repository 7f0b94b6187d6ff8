// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import org.junit.jupiter.api.Nested;

/** The contract over the rules of every system, and in processes with different limits. */
class FakeBackendContractTest {
    private static Harness harness(KernelRules rules, boolean privileged, long limit) {
        FakeKernel kernel = new FakeKernel(rules);
        kernel.setPrivileged(privileged);
        kernel.setLimit(limit);
        return new FakeHarness(kernel, new FakeBackend(kernel));
    }

    @Nested
    class LinuxUnlimited extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("linux"), false, Long.MAX_VALUE);
        }
    }

    @Nested
    class LinuxPrivileged extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("linux"), true, 65536);
        }
    }

    @Nested
    class Linux64KiB extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("linux"), false, 65536);
        }
    }

    @Nested
    class LinuxLimitZero extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("linux"), false, 0);
        }
    }

    @Nested
    class FreeBsdUnlimited extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("freebsd"), true, Long.MAX_VALUE);
        }
    }

    @Nested
    class FreeBsd64KiB extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("freebsd"), false, 65536);
        }
    }

    @Nested
    class SolarisPrivileged extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("solaris").withPageSize(8192), true, Long.MAX_VALUE);
        }
    }

    @Nested
    class SolarisUnprivileged extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("solaris"), false, Long.MAX_VALUE);
        }
    }

    @Nested
    class HpUx extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("hpux"), true, Long.MAX_VALUE);
        }
    }

    @Nested
    class Irix extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("irix").withPageSize(16384), false, Long.MAX_VALUE);
        }
    }

    @Nested
    class Macos extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("macos").withPageSize(16384), false, Long.MAX_VALUE);
        }
    }

    @Nested
    class Macos256KiB extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("macos"), true, 262144);
        }
    }

    @Nested
    class Linux32Bits extends BackendContract {
        @Override
        protected Harness open() {
            return harness(Systems.of("linux").withAddressBits(32), false, Long.MAX_VALUE);
        }
    }

    /** Memory astride the middle of the address space, where addresses turn negative. */
    @Nested
    class LinuxUpperHalf extends BackendContract {
        @Override
        protected Harness open() {
            FakeKernel kernel = new FakeKernel(Systems.of("linux"), Long.MAX_VALUE - 3 * 4096 + 1);
            return new FakeHarness(kernel, new FakeBackend(kernel));
        }
    }
}
