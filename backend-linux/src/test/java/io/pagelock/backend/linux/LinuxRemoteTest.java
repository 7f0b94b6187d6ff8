// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.BackendPrograms;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.backend.testkit.RuleReport;
import io.pagelock.backend.testkit.remote.RemoteAgent;
import io.pagelock.backend.testkit.remote.RemoteCalls;
import io.pagelock.backend.testkit.remote.RemoteMachine;
import io.pagelock.backend.testkit.remote.RemoteRun;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.engine.PageLockers;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * The way by which other systems' backends are run against their kernels, proven with Linux: each call goes over TCP to
 * remote-agent, which runs as this user and as an ordinary one, and what comes out is what {@link LinuxContractTest} and
 * {@link LinuxComparisonTest} say without it. With an agent elsewhere named by the environment, that Linux is asked instead.
 */
@EnabledOnOs(OS.LINUX)
class LinuxRemoteTest {
    private static final Path LIBRARY = Path.of("src/test/c/remote-linux.c");

    private static final long LIMIT = 8 << 20;

    private static RemoteRun run;

    @BeforeAll
    static void start() {
        run = RemoteRun.of("linux", LIBRARY, RemoteAgent::here);
    }

    @AfterAll
    static void stop() {
        if (run != null) {
            run.close();
        }
    }

    private static Stream<DynamicTest> answers(RemoteRun of) {
        return of.answers(machine -> new RemoteCalls(machine).privileged(machine.isSuperuser(), true));
    }

    @Nested
    class Contract extends BackendContract {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(run.machine());
        }
    }

    @Nested
    class Programs extends BackendPrograms {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(run.machine());
        }

        @Override
        protected KernelRules rules() {
            return KernelRules.of("linux");
        }
    }

    @Nested
    class Kernel extends LinuxKernelCases {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(run.machine());
        }
    }

    @Nested
    class KernelOfAnOrdinaryUser extends LinuxKernelCases {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(run.ofOrdinaryUser(LIMIT).machine());
        }
    }

    @Nested
    @EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
    class ContractOfAnOrdinaryUser extends BackendContract {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(run.ofOrdinaryUser(LIMIT).machine());
        }
    }

    @Test
    void everyCallIsPassedOn() {
        try (RemoteMachine machine = run.machine()) {
            // Bound to getrlimit64.
            assertEquals(Set.of("getrlimit"), machine.missing(LinuxCalls.class));
        }
    }

    /** In the agent's process, since a JVM that can map nothing more ends. */
    @Test
    void tooManyMappingsIsSaidOfLockAndOfUnlock() {
        try (RemoteMachine machine = run.machine()) {
            LinuxBackend backend = RemoteLinux.backend(machine);
            PageLocker locker = PageLockers.over(backend);
            long page = machine.pageSize();
            long free = machine.map(16);
            long held = machine.map(16);
            long onFault = machine.map(16);
            MemoryRange large = MemoryRange.of(machine.map(4096), 4096 * page);
            long pages = 400_000;
            long all = machine.mapNoReserve(pages);
            backend.lock(held, 16 * page, Set.of());
            backend.lock(onFault, 16 * page, Set.of(LockOption.ON_FAULT));
            long taken = machine.split(all, pages);
            assumeTrue(taken < pages / 2, "the kernel allows as many mappings as that");
            assertTooManyMappings(() -> backend.lock(free + 4 * page, page, Set.of()), "mlock");
            assertTooManyMappings(() -> backend.unlock(held + 4 * page, page), "munlock");
            // What is on fault already would be split for a full lock as well.
            assertTooManyMappings(() -> backend.lock(onFault + 4 * page, page, Set.of()), "mlock");
            // Where no mapping has to be split, there is nothing to refuse, not even for the steps of a large lock.
            backend.unlock(held, 16 * page);
            backend.unlock(onFault, 16 * page);
            locker.lock(large).close();
            machine.unmap(all, pages);
            backend.lock(free + 4 * page, page, Set.of());
            assertTrue(taken > 1000, "only " + taken + " mappings");
        }
    }

    private static void assertTooManyMappings(Executable call, String function) {
        assertRefused(
                call,
                Reason.TOO_MANY_MAPPINGS,
                function,
                "ENOMEM",
                "vm.max_map_count is ",
                "the process has ",
                "sysctl -w vm.max_map_count=");
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAsIsKnown() {
        return answers(run);
    }

    @TestFactory
    Stream<DynamicTest> theKernelAnswersAnOrdinaryUserAsIsKnown() {
        return answers(run.ofOrdinaryUser(LIMIT));
    }

    /** Is no test of its own: run by the one below, rule by rule. */
    static final class Wrong extends BackendContract {
        private static String library;

        @Override
        protected Harness open() {
            return RemoteLinux.harness(run.machine(Path.of(library)));
        }
    }

    /** What would make a run through the agent worthless if nobody noticed. */
    @ParameterizedTest
    @CsvSource({
        "UNASKED_LOCK, L1_lockedPagesAreResidentAndLocked",
        "SHORT_LOCK, L1_lockedPagesAreResidentAndLocked",
        "UNASKED_UNLOCK, L4_aPageStaysLockedUntilTheLastHandleCloses",
        "LOST_ERRNO, F1_aRefusalNamesCallErrnoRangeAndSystem"
    })
    void aWayThatIsWrongFailsItsRule(String fault, String rule) {
        assumeFalse(run.isElsewhere(), "the agent elsewhere is not asked for that");
        assertEquals(1, passed(run.library(), rule), rule);
        Path wrong = StandIn.compile(Path.of("src/test/c/remote-linux-wrong.c"), "-DFAULT=" + fault);
        assertEquals(0, passed(wrong.toString(), rule));
    }

    private static long passed(String library, String rule) {
        Wrong.library = library;
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        // A failure that is wanted has no place in the report.
        String report = System.clearProperty(RuleReport.FILE_PROPERTY);
        try {
            LauncherFactory.create()
                    .execute(
                            LauncherDiscoveryRequestBuilder.request()
                                    .selectors(selectMethod(Wrong.class, rule))
                                    .build(),
                            listener);
        } finally {
            System.setProperty(RuleReport.FILE_PROPERTY, report == null ? "" : report);
        }
        assertEquals(1, listener.getSummary().getTestsFoundCount(), rule);
        assertEquals(0, listener.getSummary().getTestsAbortedCount(), rule);
        return listener.getSummary().getTestsSucceededCount();
    }
}
