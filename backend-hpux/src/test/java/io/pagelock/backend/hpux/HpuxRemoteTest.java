// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.backend.testkit.remote.RemoteAgent;
import io.pagelock.backend.testkit.remote.RemoteCalls;
import io.pagelock.backend.testkit.remote.RemoteHarness;
import io.pagelock.backend.testkit.remote.RemoteMachine;
import io.pagelock.backend.testkit.remote.RemoteRun;
import io.pagelock.spi.Backend;
import io.pagelock.spi.Host;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The backend through remote-agent: on the HP-UX that the environment names, otherwise on an agent whose kernel is the
 * stand-in, which shows that the way there is right.
 */
class HpuxRemoteTest {
    @AutoClose
    private static RemoteRun run;

    @BeforeAll
    static void start() {
        run = RemoteRun.of("hpux");
    }

    private static Harness harness() {
        RemoteMachine machine = run.machine();
        CLibrary calls = CLibrary.open(Host.current(), run.library());
        Backend backend = HpuxProvider.backend(
                calls, HpuxNumbers.read(numbers(), machine.host().bits()), machine.host());
        return new RemoteHarness(machine, backend, new HpuxProvider()).without(Ability.TRUNCATE);
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
            return KernelRules.of("hpux");
        }
    }

    @Nested
    class Kernel extends HpuxKernelCases {
        @Override
        protected Harness open() {
            return harness();
        }
    }

    @Test
    void everyCallIsPassedOn() {
        try (RemoteMachine machine = run.machine()) {
            assertEquals(Set.of(), machine.missing(HpuxCalls.class));
        }
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAsIsKnown() {
        return run.answers(machine -> new RemoteCalls(machine).privilegeIsNeeded());
    }

    /** What abi-probe printed on that system; without it, some numbers are unknown. */
    private static Path numbers() {
        String file = System.getenv(RemoteAgent.NUMBERS_VARIABLE);
        return file != null && !file.isEmpty()
                ? Path.of(file)
                : RemoteAgent.given().isPresent() ? null : Hpux.PROBE;
    }
}
