// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.remote.RemoteAgent;
import io.pagelock.backend.testkit.remote.RemoteMachine;
import io.pagelock.backend.testkit.remote.RemoteRun;
import io.pagelock.spi.Host;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The backend through an agent whose processor has the other order of bytes. Under it is the kernel of this machine, by user-mode
 * emulation; what that lacks is in {@code agent-emulated.c}.
 */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class LinuxOtherByteOrderTest {
    @AutoClose
    private static RemoteRun run;

    @BeforeAll
    static void start() {
        assumeFalse(RemoteAgent.given().isPresent(), "the agent elsewhere has the order that it has");
        run = RemoteRun.of(
                "linux",
                Path.of("src/test/c/remote-linux.c"),
                () -> RemoteAgent.ofOtherByteOrder(Path.of("src/test/c/agent-emulated.c")));
    }

    @Nested
    class Contract extends BackendContract {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(run.machine());
        }
    }

    @Test
    void theEntriesOfPagemapAreThoseOfThatKernel() {
        try (RemoteMachine machine = run.machine()) {
            long at = machine.map(2);
            machine.touch(at);
            long[] entries = RemoteLinux.proc(machine)
                    .pagemap(at / machine.pageSize(), 2)
                    .orElseThrow();
            // Bit 63: present.
            assertTrue(
                    entries[0] < 0 && entries[1] >= 0,
                    Long.toHexString(entries[0]) + ", " + Long.toHexString(entries[1]));
        }
    }

    /** Of a structure with members of two widths. */
    @Test
    void theMappingAtAnAddressIsThatOfMaps() {
        try (RemoteMachine machine = run.machine()) {
            LinuxCalls calls =
                    LinuxCalls.bind(CLibrary.open(Host.current(), machine.file().toString()));
            MappingQuery query = new MappingQuery(
                    calls, LinuxConstants.forArch(machine.host().arch()).orElseThrow());
            assertTrue(query.isUsable());
            long page = machine.pageSize();
            int fd = query.open();
            for (long at : new long[] {machine.map(3), machine.mapFile(3)}) {
                Mapping mapping = RemoteLinux.proc(machine)
                        .mappings(at, at + page)
                        .orElseThrow()
                        .get(0);
                MappingQuery.Found found = query.at(fd, at + page);
                assertEquals(mapping.end, found.end);
                assertEquals(mapping.inode != 0 || mapping.device != 0, found.ofFile());
                assertEquals(mapping.onDisk(), found.onDisk());
                assertEquals(mapping.inode == 0, found.copiesWhenWritten());
            }
            query.close(fd);
        }
    }

    @Nested
    class Kernel extends LinuxKernelCases {
        @Override
        protected Harness open() {
            return RemoteLinux.harness(run.machine());
        }
    }
}
