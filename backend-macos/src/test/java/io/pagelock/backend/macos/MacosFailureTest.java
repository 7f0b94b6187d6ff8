// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Pointer;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimits;
import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.engine.PageLockers;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The errors of mlock(2), munlock(2) and msync(2) that the stand-in is ordered to give, and what is seen by its raw calls alone.
 * {@link MacosKernelCases} has the others.
 */
class MacosFailureTest {
    private Macos macos;
    private StandIn standIn;
    private MacosBackend backend;
    private long page;
    private long memory;

    @BeforeEach
    void open() {
        macos = Macos.open();
        standIn = macos.standIn;
        backend = macos.backend();
        page = standIn.pageSize();
        memory = standIn.map(6);
    }

    @AfterEach
    void reset() {
        Macos.open();
        assertEquals(0, standIn.lockedBytes(), "VmLck after the test");
    }

    private Executable lock(long pages) {
        PageLocker locker = PageLockers.over(backend);
        return () -> locker.lock(MemoryRange.of(memory, pages * page));
    }

    /** As other code of the process would. */
    private long mlock(long address, long pages) {
        return standIn.call("mlock", Pointer.createConstant(address), Pointer.createConstant(pages * page));
    }

    private String locked() {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            all.append(standIn.isLocked(memory + i * page) ? 1 : 0);
        }
        return all.toString();
    }

    @Test
    void unlockTakesAllLocksOffAPage() {
        mlock(memory, 3);
        mlock(memory + page, 1);
        mlock(memory + page, 4);
        backend.unlock(memory, 6 * page);
        assertEquals("000000", locked());
    }

    /** Otherwise the 65,536th handle on a page would be refused. */
    @Test
    void nestedLocksDoNotAddUpInTheKernel() {
        PageLocker locker = PageLockers.over(backend);
        for (int i = 0; i < 5; i++) {
            backend.lock(memory, 2 * page, Set.of());
        }
        standIn.call("munlock", Pointer.createConstant(memory), Pointer.createConstant(page));
        assertEquals("010000", locked());
        backend.unlock(memory, 2 * page);
        try (var outer = locker.lock(MemoryRange.of(memory, 4 * page))) {
            locker.lock(MemoryRange.of(memory + page, page)).close();
            assertEquals("111100", locked());
            assertTrue(outer.isValid());
        }
    }

    @Test
    void theSysctlOfEachProcessIsALimitOfTheProcess() {
        standIn.set("user_wire_limit", 2 * page);
        assertRefused(lock(3), Reason.OVER_LIMIT, "mlock", "EAGAIN", "vm.user_wire_limit 8192 bytes");
    }

    @Test
    void theSysctlOfAllProcessesIsNoLockableMemory() {
        standIn.set("global_wire_limit", 10 * page);
        standIn.set("wired_elsewhere", 8 * page);
        assertRefused(
                lock(3),
                Reason.NO_LOCKABLE_MEMORY,
                "mlock",
                "EAGAIN",
                "wired in all, including the kernel, 32768 bytes",
                "vm.global_user_wire_limit 40960 bytes",
                "sysctl vm.global_user_wire_limit=45056");
    }

    /** As in a sandbox. */
    @Test
    void aLimitThatCannotBeReadIsUnknown() {
        standIn.set("no_sysctl", 1);
        standIn.set("global_wire_limit", 2 * page);
        assertRefused(
                lock(3),
                Reason.UNKNOWN,
                "mlock",
                "EAGAIN",
                "one of three limits",
                "vm.user_wire_limit unknown",
                "vm.global_user_wire_limit unknown");
        LockLimits limits = backend.limits();
        assertEquals(LimitValue.unknown(), limits.all().get(1).soft());
        assertEquals(LimitValue.unlimited(), limits.all().get(0).soft());
        assertEquals(OptionalLong.empty(), limits.all().get(2).used());
    }

    @Test
    void theLimitsAreReadWithWhatCountsAgainstThem() {
        standIn.set("memlock", 8 * page);
        standIn.set("user_wire_limit", 16 * page);
        standIn.set("global_wire_limit", 64 * page);
        standIn.set("wired_elsewhere", 10 * page);
        mlock(memory, 2);
        LockLimits limits = backend.limits();
        assertEquals(
                List.of("RLIMIT_MEMLOCK", "vm.user_wire_limit", "vm.global_user_wire_limit"),
                limits.all().stream().map(each -> each.name()).toList());
        assertEquals(LimitValue.ofBytes(8 * page), limits.all().get(0).soft());
        assertEquals(LimitValue.unlimited(), limits.all().get(0).hard());
        assertEquals(LimitValue.ofBytes(16 * page), limits.all().get(1).soft());
        assertEquals(OptionalLong.of(2 * page), limits.all().get(1).used());
        assertEquals(LimitValue.ofBytes(64 * page), limits.all().get(2).soft());
        assertEquals(OptionalLong.of(12 * page), limits.all().get(2).used());
        assertEquals(OptionalLong.of(2 * page), limits.lockedBytes());
        assertEquals(Tristate.YES, limits.permitted());
        assertTrue(limits.privilege().isEmpty(), "root is bound, too");
        backend.unlock(memory, 2 * page);
    }

    @Test
    void executableMemoryIsNotPermitted() {
        standIn.fail("mlock", 1, 13);
        assertRefused(lock(1), Reason.NOT_PERMITTED, "mlock", "EACCES", "code signing", "Leave out executable memory");
    }

    @ParameterizedTest
    @CsvSource({
        "EINVAL, 22, UNKNOWN, ''",
        "EIO, 5, IO_ERROR, log show",
        "ENOSYS, 78, NOT_SUPPORTED, ''",
        "EPERM, 1, NOT_PERMITTED, ''"
    })
    void whatThePagesDoNotGiveHasOneMeaningInEveryCall(String errno, int number, Reason reason, String words) {
        mlock(memory, 1);
        Map<String, Executable> calls = Map.of(
                "mlock", () -> backend.lock(memory, page, Set.of()),
                "munlock", () -> backend.unlock(memory, page),
                "msync", () -> backend.sync(memory, page, Set.of()));
        calls.forEach((function, call) -> {
            standIn.fail(function, 1, number);
            assertRefused(call, reason, function, errno, words);
        });
        backend.unlock(memory, page);
    }

    @Test
    void theAddressSpaceCannotBeLocked() {
        assertFalse(backend.capabilities().contains(Capability.LOCK_ADDRESS_SPACE));
        PageLocker locker = PageLockers.over(backend);
        assertThrows(UnsupportedOperationException.class, () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT));
        assertEquals(0, standIn.calls("mlockall"));
        assertTrue(backend.info().notes().toString().contains("ENOSYS"), "doctor says so");
    }

    /** What Mach does not say stays unknown, and locks go on without its proof. */
    @Test
    void withoutRegionsWhatIsLockedIsUnknown() {
        standIn.set("no_regions", 1);
        MacosBackend blind = macos.backend();
        assertFalse(blind.capabilities().contains(Capability.LOCKED_PAGES));
        blind.lock(memory, 2 * page, Set.of());
        assertEquals("110000", locked());
        MemoryRange range = MemoryRange.of(memory, 2 * page);
        assertEquals(Tristate.UNKNOWN, blind.pageStates(range).locked(0));
        assertEquals(Tristate.UNKNOWN, blind.anyLocked(range));
        assertTrue(blind.mapped(range).isEmpty());
        assertEquals(OptionalLong.empty(), blind.limits().lockedBytes());
        blind.unlock(memory, 2 * page);
        assertEquals("000000", locked());
        standIn.unmap(memory, 1);
        assertRefused(() -> blind.unlock(memory, 2 * page), Reason.NOT_MAPPED, "munlock", "ENOMEM");
        assertRefused(
                () -> blind.lock(memory, 2 * page, Set.of()),
                Reason.UNKNOWN,
                "mlock",
                "ENOMEM",
                "the mappings cannot be read");
    }

    @Test
    void withoutMincoreWhatIsResidentIsUnknown() {
        standIn.fail("mincore", 1, 22);
        assertEquals(
                Tristate.UNKNOWN,
                backend.pageStates(MemoryRange.of(memory, page)).resident(0));
    }
}
