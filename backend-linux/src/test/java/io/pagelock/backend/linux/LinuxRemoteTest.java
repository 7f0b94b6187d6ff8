// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Comparison;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.remote.RemoteAgent;
import io.pagelock.backend.testkit.remote.RemoteCalls;
import io.pagelock.backend.testkit.remote.RemoteMachine;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * The way by which other systems' backends are run against their kernels, proven with Linux: each call goes over TCP to
 * remote-agent, which runs as this user and as an ordinary one, and what comes out is what {@link LinuxContractTest} and
 * {@link LinuxComparisonTest} say without it. With an agent elsewhere named by the environment, that Linux is asked instead.
 */
@EnabledOnOs(OS.LINUX)
class LinuxRemoteTest {
    private static Path library;
    private static RemoteAgent agent;
    private static RemoteAgent ordinary;

    @BeforeAll
    static void start() {
        library = RemoteLinux.library();
        agent = RemoteAgent.given().orElseGet(RemoteAgent::here);
    }

    @AfterAll
    static void stop() {
        if (agent != null) {
            agent.close();
        }
        if (ordinary != null) {
            ordinary.close();
        }
    }

    private static synchronized RemoteAgent ordinary() {
        assumeFalse(RemoteAgent.given().isPresent(), "the agent elsewhere runs as whoever started it");
        if (ordinary == null) {
            ordinary = RemoteAgent.ofOrdinaryUser(8 << 20);
        }
        return ordinary;
    }

    private static Stream<DynamicTest> rows(RemoteAgent agent) {
        return Comparison.tests("linux", () -> {
            RemoteMachine machine = RemoteMachine.open(library, agent);
            return new RemoteCalls(machine, !machine.isSuperuser());
        });
    }

    @Nested
    class Contract extends BackendContract {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(RemoteMachine.open(library, agent));
        }
    }

    @Nested
    class ContractOfAnOrdinaryUser extends BackendContract {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(RemoteMachine.open(library, ordinary()));
        }
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAsIsKnown() {
        return rows(agent);
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAnOrdinaryUserAsIsKnown() {
        return rows(ordinary());
    }
}
