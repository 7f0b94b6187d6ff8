// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LimitValue;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.engine.PageLockers;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The errors of mlock(3C), mlockall(3C) and mpin(2) that the stand-in is ordered to give; {@link IrixKernelCases} has the others. */
class IrixFailureTest {
    private Irix irix;
    private StandIn standIn;
    private long page;
    private long memory;

    @BeforeEach
    void open() {
        irix = Irix.open();
        standIn = irix.standIn;
        page = standIn.pageSize();
        memory = standIn.map(4);
    }

    @AfterEach
    void reset() {
        Irix.open();
        assertEquals(0, standIn.lockedBytes(), "VmLck after the test");
    }

    private Executable lock(long pages) {
        PageLocker locker = PageLockers.over(irix.backend());
        return () -> locker.lock(MemoryRange.of(memory, pages * page));
    }

    @Test
    void maxlkmemIsOverTheLimitWithItsKnob() {
        standIn.set("maxlkmem", page);
        assertRefused(
                lock(3),
                Reason.OVER_LIMIT,
                "mlock",
                "ENOMEM",
                "maxlkmem (PLOCK_MAX)",
                "asked for 12288 bytes",
                "systune maxlkmem");
        standIn.set("superuser", 1);
        assertFalse(standIn.isLocked(memory), "undone");
    }

    @Test
    void theResidentLimitBindsTheSuperuserToo() {
        standIn.set("superuser", 1);
        standIn.set("maxlkmem", 0);
        standIn.set("resident", 2 * page);
        PageLockException refused = assertRefused(
                lock(3), Reason.OVER_LIMIT, "mlock", "ENOMEM", "RLIMIT_RSS", "superuser, too", "limit memoryuse");
        assertFalse(refused.remedies().toString().contains("maxlkmem"), "which does not bind the superuser");
    }

    @Test
    void theSuperuserIsNotAdvisedToBeTheSuperuser() {
        standIn.set("superuser", 1);
        standIn.fail("mlock", 1, 1);
        PageLockException refused = assertRefused(lock(1), Reason.NOT_PERMITTED, "mlock", "EPERM", "CAP_MEMORY_MGT");
        assertFalse(refused.getMessage().contains("Run as"), refused.getMessage());
    }

    @Test
    void tooLittleLockableMemoryIsOutOfMemory() {
        standIn.set("system_limit", page);
        assertRefused(lock(3), Reason.NO_LOCKABLE_MEMORY, "mlock", "EAGAIN");
    }

    @Test
    void aFileThatCannotBeAllocatedHasNoSpace() {
        standIn.fail("mlock", 1, 28);
        assertRefused(lock(1), Reason.NO_SPACE, "mlock", "ENOSPC", "Make room");
    }

    @Test
    void ioOfTheShareGroupKeepsAnUnlockBusy() {
        PageLocker locker = PageLockers.over(irix.backend());
        var held = locker.lock(MemoryRange.of(memory, page));
        standIn.fail("munlock", 1, 16);
        assertRefused(held::close, Reason.BUSY, "munlock", "EBUSY", "share group");
        assertTrue(held.isValid());
        held.close();
        assertFalse(standIn.isLocked(memory));
    }

    @ParameterizedTest
    @CsvSource({
        "EPERM, 1, NOT_PERMITTED, Run as the superuser",
        "EIO, 5, IO_ERROR, /var/adm/SYSLOG",
        "EINVAL, 22, UNKNOWN, does not list the number",
        "ENOSYS, 89, NOT_SUPPORTED, lacks the call"
    })
    void whatThePagesDoNotGiveHasOneMeaningInEveryCall(String errno, int number, Reason reason, String words) {
        IrixBackend backend = irix.backend();
        Map<String, Executable> calls = Map.of(
                "mlock", () -> backend.lock(memory, page, Set.of()),
                "munlock", () -> backend.unlock(memory, page),
                "mlockall", () -> backend.lockAll(AddressSpaceScope.FUTURE, Set.of()),
                "munlockall", () -> backend.unlockAll(List.of()),
                "msync", () -> backend.sync(memory, page, Set.of()));
        calls.forEach((function, call) -> {
            standIn.fail(function, 1, number);
            assertRefused(call, reason, function, errno, words);
        });
    }

    @Test
    void noMemoryWithoutHoleOrLimitIsUnknown() {
        standIn.fail("mlock", 1, 12);
        assertRefused(lock(1), Reason.UNKNOWN, "mlock", "ENOMEM", "neither a hole nor a limit");
        assertEquals(1, standIn.calls("munpin"), "the probe is undone");
    }

    @Test
    void theAddressSpaceOverTheLimit() {
        PageLocker locker = PageLockers.over(irix.backend());
        standIn.set("maxlkmem", page);
        assertRefused(
                () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT),
                Reason.OVER_LIMIT,
                "mlockall",
                "ENOMEM",
                "systune");
        standIn.set("maxlkmem", -1);
        standIn.set("system_limit", page);
        assertRefused(
                () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT),
                Reason.NO_LOCKABLE_MEMORY,
                "mlockall",
                "EAGAIN");
        standIn.fail("mlockall", 1, 22);
        assertRefused(() -> locker.lockAddressSpace(AddressSpaceScope.FUTURE), Reason.UNKNOWN, "mlockall", "EINVAL");
        standIn.fail("munlockall", 1, 16);
        assertRefused(() -> irix.backend().unlockAll(List.of()), Reason.BUSY, "munlockall", "EBUSY");
    }

    @Test
    void theEndOfAStackInFutureModeIsNoted() {
        String notes = irix.backend().info().notes().toString();
        assertTrue(notes.contains("SIGSEGV"), notes);
    }

    @Test
    void theLimitsAreNamedAndUnknown() {
        var limits = irix.backend().limits();
        assertEquals("maxlkmem", limits.all().get(0).name());
        assertEquals(LimitValue.unknown(), limits.all().get(0).soft());
        assertEquals(Tristate.UNKNOWN, limits.privileged());
        standIn.set("superuser", 1);
        assertEquals(Tristate.YES, irix.backend().limits().privileged());
    }
}
