// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceOption;
import io.pagelock.LimitValue;
import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.standin.StandIn;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each error of mlock(3C), mlockall(3C) and mpin(2), produced by the stand-in, and the rows of the comparison. */
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

    private Executable lock(boolean pin, long pages) {
        PageLocker locker = PageLocker.over(irix.backend(pin));
        return () -> locker.lock(MemoryRange.of(memory, pages * page));
    }

    private static String name(boolean pin) {
        return pin ? "mpin" : "mlock";
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aHoleIsNotMapped(boolean pin) {
        standIn.unmap(memory + page, 1);
        assertRefused(lock(pin, 3), Reason.NOT_MAPPED, name(pin), pin ? "EINVAL" : "ENOMEM", "Keep the memory mapped");
        assertFalse(standIn.isLocked(memory), "undone");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void maxlkmemIsOverTheLimitWithItsKnob(boolean pin) {
        standIn.set("maxlkmem", page);
        assertRefused(
                lock(pin, 3),
                Reason.OVER_LIMIT,
                name(pin),
                "ENOMEM",
                "maxlkmem (PLOCK_MAX)",
                "asked for 12288 bytes",
                "systune maxlkmem");
        standIn.set("superuser", 1);
        assertFalse(standIn.isLocked(memory), "undone");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theResidentLimitBindsTheSuperuserToo(boolean pin) {
        standIn.set("superuser", 1);
        standIn.set("maxlkmem", 0);
        standIn.set("resident", 2 * page);
        assertRefused(
                lock(pin, 3),
                Reason.OVER_LIMIT,
                name(pin),
                "ENOMEM",
                "RLIMIT_RSS",
                "superuser, too",
                "limit memoryuse");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void tooLittleLockableMemoryIsOutOfMemory(boolean pin) {
        standIn.set("system_limit", page);
        assertRefused(lock(pin, 3), Reason.NO_LOCKABLE_MEMORY, name(pin), "EAGAIN");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFileThatCannotBeAllocatedHasNoSpace(boolean pin) {
        standIn.fail(name(pin), 1, 28);
        assertRefused(lock(pin, 1), Reason.NO_SPACE, name(pin), "ENOSPC", "Make room");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ioOfTheShareGroupKeepsAnUnlockBusy(boolean pin) {
        PageLocker locker = PageLocker.over(irix.backend(pin));
        var held = locker.lock(MemoryRange.of(memory, page));
        standIn.fail(pin ? "munpin" : "munlock", 1, 16);
        assertRefused(held::close, Reason.BUSY, pin ? "munpin" : "munlock", "EBUSY", "share group");
        assertTrue(held.isValid());
        held.close();
        assertFalse(standIn.isLocked(memory));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void unlockOverAHoleIsNotMapped(boolean pin) {
        IrixBackend backend = irix.backend(pin);
        backend.lock(memory, 3 * page, false);
        standIn.unmap(memory + page, 1);
        assertRefused(
                () -> backend.unlock(memory, 3 * page),
                Reason.NOT_MAPPED,
                pin ? "munpin" : "munlock",
                pin ? "EINVAL" : "ENOMEM",
                "Keep the memory mapped");
    }

    @Test
    void unpinOverAHoleThatWasNeverPinnedIsNotMapped() {
        standIn.unmap(memory + page, 1);
        assertRefused(
                () -> irix.backend(true).unlock(memory, 3 * page),
                Reason.NOT_MAPPED,
                "msync",
                "ENOMEM",
                "Keep the memory mapped");
        assertEquals(0, standIn.calls("munpin"));
    }

    @ParameterizedTest
    @CsvSource({
        "EPERM, 1, NOT_PERMITTED, Run as the superuser",
        "EIO, 5, IO_ERROR, /var/adm/SYSLOG",
        "EINVAL, 22, UNKNOWN, does not give the number",
        "ENOSYS, 89, NOT_SUPPORTED, does not have the call"
    })
    void whatThePagesDoNotGiveHasOneMeaningInEveryCall(String errno, int number, Reason reason, String words) {
        IrixBackend backend = irix.backend(false);
        Map<String, Executable> calls = Map.of(
                "mlock", () -> backend.lock(memory, page, false),
                "munlock", () -> backend.unlock(memory, page),
                "mlockall", () -> backend.lockAll(EnumSet.of(AddressSpaceOption.FUTURE)),
                "munlockall", () -> backend.unlockAll(List.of()),
                "msync", () -> backend.sync(memory, page, EnumSet.of(SyncOption.SYNC)));
        calls.forEach((function, call) -> {
            standIn.fail(function, 1, number);
            assertRefused(call, reason, function, errno, words);
        });
    }

    @Test
    void noMemoryWithoutHoleOrLimitIsUnknown() {
        standIn.fail("mlock", 1, 12);
        assertRefused(lock(false, 1), Reason.UNKNOWN, "mlock", "ENOMEM", "neither a hole nor a limit");
        assertEquals(1, standIn.calls("munpin"), "the probe is undone");
    }

    @Test
    void theAddressSpaceOverTheLimit() {
        PageLocker locker = PageLocker.over(irix.backend(false));
        standIn.set("maxlkmem", page);
        assertRefused(
                () -> locker.lockAddressSpace(AddressSpaceOption.CURRENT),
                Reason.OVER_LIMIT,
                "mlockall",
                "ENOMEM",
                "systune");
        standIn.set("maxlkmem", -1);
        standIn.set("system_limit", page);
        assertRefused(
                () -> locker.lockAddressSpace(AddressSpaceOption.CURRENT),
                Reason.NO_LOCKABLE_MEMORY,
                "mlockall",
                "EAGAIN");
        standIn.fail("mlockall", 1, 22);
        assertRefused(() -> locker.lockAddressSpace(AddressSpaceOption.FUTURE), Reason.UNKNOWN, "mlockall", "EINVAL");
        standIn.fail("munlockall", 1, 16);
        assertRefused(() -> irix.backend(false).unlockAll(List.of()), Reason.BUSY, "munlockall", "EBUSY");
    }

    @Test
    void pinsOfOthersOutliveOurs() {
        standIn.call("mpin", com.sun.jna.Pointer.createConstant(memory), com.sun.jna.Pointer.createConstant(page));
        PageLocker locker = PageLocker.over(irix.backend(true));
        var first = locker.lock(MemoryRange.of(memory, 2 * page));
        var second = locker.lock(MemoryRange.of(memory, page));
        first.close();
        second.close();
        assertTrue(standIn.isLocked(memory), "pinned by other code");
        assertFalse(standIn.isLocked(memory + page));
    }

    @Test
    void locksOfOthersEndWithOurs() {
        standIn.call("mlock", com.sun.jna.Pointer.createConstant(memory), com.sun.jna.Pointer.createConstant(page));
        PageLocker.over(irix.backend(false)).lock(MemoryRange.of(memory, page)).close();
        assertFalse(standIn.isLocked(memory), "mlock does not count");
    }

    @Test
    void invalidatingALockedPageIsBusy() {
        PageLocker locker = PageLocker.over(irix.backend(false));
        try (var held = locker.lock(MemoryRange.of(memory, page))) {
            assertRefused(
                    () -> locker.sync(MemoryRange.of(memory, page), SyncOption.INVALIDATE),
                    Reason.BUSY,
                    "msync",
                    "EBUSY",
                    "locked");
        }
    }

    @Test
    void syncOverAHoleIsNotMapped() {
        standIn.unmap(memory + page, 1);
        assertRefused(
                () -> irix.backend(false).sync(memory, 3 * page, EnumSet.of(SyncOption.SYNC)),
                Reason.NOT_MAPPED,
                "msync",
                "ENOMEM",
                "Keep the memory mapped");
    }

    @Test
    void theEndOfAStackInFutureModeIsNoted() {
        String notes = irix.backend(false).info().notes().toString();
        assertTrue(notes.contains("SIGSEGV"), notes);
    }

    @Test
    void theLimitsAreNamedAndUnknown() {
        var limits = irix.backend(false).limits();
        assertEquals("maxlkmem", limits.all().get(0).name());
        assertEquals(LimitValue.unknown(), limits.soft());
        assertEquals(Tristate.UNKNOWN, limits.privileged());
        standIn.set("superuser", 1);
        assertEquals(Tristate.YES, irix.backend(false).limits().privileged());
    }
}
