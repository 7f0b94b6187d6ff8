// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.GuardCalls;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
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
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The backend through remote-agent: on the FreeBSD that the environment names, otherwise on an agent whose kernel is the
 * stand-in, which shows that the way there is right.
 */
class FreeBsdRemoteTest {
    private static final long LIMIT = 8 << 20;

    @AutoClose
    private static RemoteRun run;

    @BeforeAll
    static void start() {
        run = RemoteRun.of("freebsd");
    }

    @Nested
    class Contract extends BackendContract {
        @Override
        protected Harness open() {
            return harness(run.machine());
        }
    }

    @Nested
    class Programs extends BackendPrograms {
        @Override
        protected Harness open() {
            return harness(run.machine());
        }

        @Override
        protected KernelRules rules() {
            return KernelRules.of("freebsd");
        }
    }

    @Nested
    class Kernel extends FreeBsdKernelCases {
        @Override
        protected Harness open() {
            return harness(run.machine());
        }
    }

    private static Harness harness(RemoteMachine machine) {
        CLibrary calls = CLibrary.open(Host.current(), run.library());
        return new RemoteHarness(machine, FreeBsdBackend.over(calls, machine.host()), new FreeBsdProvider())
                .with(Ability.PROTECT);
    }

    @Nested
    @EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
    class ContractOfAnOrdinaryUser extends BackendContract {
        @Override
        protected Harness open() {
            return harness(run.ofOrdinaryUser(LIMIT).machine());
        }
    }

    @Nested
    class KernelOfAnOrdinaryUser extends FreeBsdKernelCases {
        @Override
        protected Harness open() {
            return harness(run.ofOrdinaryUser(LIMIT).machine());
        }
    }

    @Test
    void everyCallIsPassedOn() {
        try (RemoteMachine machine = run.machine()) {
            assertEquals(Set.of(), machine.missing(FreeBsdCalls.class));
            assertEquals(Set.of(), machine.missing(AioCalls.class));
            // FreeBSD guards without these.
            assertEquals(Set.of("close", "ftruncate", "mmap", "munmap", "syscall"), machine.missing(GuardCalls.class));
        }
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAsIsKnown() {
        return run.answers(machine -> new RemoteCalls(machine).privileged(machine.isSuperuser(), false));
    }
}
