// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.backend.testkit.remote.RemoteCalls;
import io.pagelock.backend.testkit.remote.RemoteHarness;
import io.pagelock.backend.testkit.remote.RemoteMachine;
import io.pagelock.backend.testkit.remote.RemoteRun;
import io.pagelock.spi.Host;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The backend through remote-agent: on the macOS that the environment names, otherwise on an agent whose kernel is the
 * stand-in, which shows that the way there is right.
 */
class MacosRemoteTest {
    @AutoClose
    private static RemoteRun run;

    @BeforeAll
    static void start() {
        run = RemoteRun.of("macos");
    }

    private static Harness harness() {
        RemoteMachine machine = run.machine();
        CLibrary calls = CLibrary.open(Host.current(), run.library());
        return new RemoteHarness(machine, MacosProvider.backend(calls, machine.host()), new MacosProvider());
    }

    @Nested
    class Contract extends BackendContract {
        @Override
        protected Harness open() {
            return harness();
        }
    }

    @Nested
    class Programs extends BackendPrograms {
        @Override
        protected Harness open() {
            return harness();
        }

        @Override
        protected KernelRules rules() {
            return KernelRules.of("macos");
        }
    }

    @Nested
    class Kernel extends MacosKernelCases {
        @Override
        protected Harness open() {
            return harness();
        }
    }

    /** memcpy reads what dlsym found, which is here. */
    @Test
    void everyCallIsPassedOn() {
        try (RemoteMachine machine = run.machine()) {
            assertEquals(Set.of("memcpy"), machine.missing(MacosCalls.class));
        }
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAsIsKnown() {
        return run.answers(RemoteCalls::new);
    }
}
