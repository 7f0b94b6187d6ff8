// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.backend.testkit.remote.RemoteCalls;
import io.pagelock.backend.testkit.remote.RemoteHarness;
import io.pagelock.backend.testkit.remote.RemoteMachine;
import io.pagelock.backend.testkit.remote.RemoteRun;
import io.pagelock.spi.Backend;
import io.pagelock.spi.Host;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/**
 * The backend through remote-agent: on the Solaris or illumos that the environment names, otherwise on an agent whose kernel is the
 * stand-in, which shows that the way there is right.
 */
class SolarisRemoteTest {
    @AutoClose
    private static RemoteRun run;

    @BeforeAll
    static void start() {
        run = RemoteRun.of("solaris");
    }

    private static Harness memcntl() {
        RemoteMachine machine = run.machine();
        CLibrary calls = CLibrary.open(Host.current(), run.library());
        return harness(machine, backend(machine, calls, null));
    }

    /** Where the agent was compiled with -DAGENT_UCB. */
    private static Harness mctl() {
        RemoteMachine machine = run.machine();
        if (!machine.has("mctl")) {
            machine.close();
            throw new TestAbortedException("the agent has no mctl");
        }
        CLibrary calls = CLibrary.open(Host.current(), run.library());
        return harness(machine, backend(machine, calls, calls));
    }

    private static Harness harness(RemoteMachine machine, Backend backend) {
        return new RemoteHarness(machine, backend, new SolarisProvider())
                .with(Ability.MAP_UNLOCKABLE, Ability.SHORTEN_LOCKED);
    }

    @Nested
    class Contract extends BackendContract {
        @Override
        protected Harness open() {
            return memcntl();
        }
    }

    @Nested
    class ContractThroughMctl extends BackendContract {
        @Override
        protected Harness open() {
            return mctl();
        }
    }

    @Nested
    class Programs extends BackendPrograms {
        @Override
        protected Harness open() {
            return memcntl();
        }

        @Override
        protected KernelRules rules() {
            return KernelRules.of("solaris");
        }
    }

    @Nested
    class Kernel extends SolarisKernelCases {
        Kernel() {
            super("memcntl");
        }

        @Override
        protected Harness open() {
            return memcntl();
        }
    }

    @Nested
    class KernelThroughMctl extends SolarisKernelCases {
        KernelThroughMctl() {
            super("mctl");
        }

        @Override
        protected Harness open() {
            return mctl();
        }
    }

    @Test
    void everyCallIsPassedOn() {
        try (RemoteMachine machine = run.machine()) {
            assertEquals(Set.of(), machine.missing(SolarisCalls.class));
            assertEquals(Set.of(), machine.missing(SolarisCalls.Ucb.class));
        }
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAsIsKnown() {
        return run.answers(machine -> new RemoteCalls(machine).privilegeIsNeeded());
    }

    /** Without libkstat, which has no part in what is asked here. */
    private static Backend backend(RemoteMachine machine, CLibrary libc, CLibrary libucb) {
        return SolarisProvider.backend(
                libc,
                libucb,
                () -> {
                    throw PageLockException.because(Reason.NOT_SUPPORTED)
                            .detail("no libkstat through the agent")
                            .build();
                },
                new Files(machine),
                machine.host());
    }

    /** Files as the agent's process sees them. */
    private static final class Files implements ProcFiles {
        private final RemoteMachine machine;

        private Files(RemoteMachine machine) {
            this.machine = machine;
        }

        @Override
        public Optional<byte[]> read(String name) {
            RemoteMachine.Out out = new RemoteMachine.Out(1 << 18);
            long length = machine.call("agent_read_file", RemoteMachine.text("/proc/self/" + name), out);
            return length < 0 ? Optional.empty() : Optional.of(Arrays.copyOf(out.bytes(), (int) length));
        }

        @Override
        public long objectSize(String name) {
            return machine.call("agent_file_size", RemoteMachine.text("/proc/self/object/" + name));
        }
    }
}
