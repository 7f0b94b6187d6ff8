// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.SystemNumbers;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.remote.RemoteAgent;
import io.pagelock.backend.testkit.remote.RemoteCalls;
import io.pagelock.backend.testkit.remote.RemoteHarness;
import io.pagelock.backend.testkit.remote.RemoteMachine;
import io.pagelock.backend.testkit.remote.RemoteRun;
import io.pagelock.spi.Host;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The backend through an agent whose processor has the other order of bytes, as those of HP-UX have: neither the wire nor
 * a structure may depend on it. The kernel is the stand-in, under user-mode emulation.
 */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class HpuxOtherByteOrderTest {
    private static RemoteRun run;

    @BeforeAll
    static void start() {
        assumeFalse(RemoteAgent.given().isPresent(), "the agent elsewhere has the order that it has");
        run = RemoteRun.of(
                "hpux",
                Path.of("src/test/c/remote-hpux.c"),
                () -> RemoteAgent.ofOtherByteOrder(Path.of("src/test/c/agent-hpux.c")));
    }

    @AfterAll
    static void stop() {
        if (run != null) {
            run.close();
        }
    }

    private static Harness harness() {
        RemoteMachine machine = run.machine();
        CLibrary calls = CLibrary.open(Host.current(), run.library());
        SystemNumbers numbers = HpuxNumbers.read(Hpux.PROBE, machine.host().bits());
        return new RemoteHarness(machine, HpuxProvider.backend(calls, numbers, machine.host()), new HpuxProvider())
                .without(Ability.TRUNCATE);
    }

    @Nested
    class Contract extends BackendContract {
        @Override
        protected Harness open() {
            return harness();
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
    void theOrderIsTheOther() {
        try (RemoteMachine machine = run.machine()) {
            assertTrue(machine.isBigEndian() == (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN));
        }
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAsIsKnown() {
        return run.answers(machine -> new RemoteCalls(machine).privilegeIsNeeded());
    }
}
