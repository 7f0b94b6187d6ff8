// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Forecast;
import io.pagelock.LimitValue;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.engine.PageLockers;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The errors of memcntl(2) and mctl(3UCB) that the stand-in is ordered to give: reason, function, number, finding and remedy.
 * {@link SolarisKernelCases} has the others.
 */
abstract class SolarisFailures {
    private final String function;
    private Solaris solaris;
    private SolarisBackend backend;
    private PageLocker locker;
    private long page;
    private long memory;

    SolarisFailures(String function) {
        this.function = function;
    }

    @BeforeEach
    void open() {
        solaris = Solaris.open();
        backend = function.equals("mctl") ? solaris.mctl() : solaris.memcntl();
        locker = PageLockers.over(backend);
        page = backend.pageSize();
        memory = solaris.standIn.map(4);
    }

    @AfterEach
    void reset() {
        Solaris.open();
        assertEquals(0, solaris.standIn.lockedBytes(), "VmLck after the test");
    }

    private void refusal(Executable call, Reason reason, String errno, String... words) {
        PageLockException e = assertRefused(call, reason, function, errno, words);
        assertEquals(SolarisConstants.ERRNO.numbers().get(errno), e.errno().orElse(0));
    }

    private Executable lock(long pages) {
        return () -> locker.lock(MemoryRange.of(memory, pages * page));
    }

    @Test
    void aRefusalInSpiteOfThePrivilegeSaysSo() {
        solaris.standIn.fail("MC_LOCK", 1, 1);
        refusal(lock(1), Reason.NOT_PERMITTED, "EPERM", "is in effect now");
    }

    @ParameterizedTest
    @CsvSource({"project, project.max-locked-memory", "zone, zone.max-locked-memory"})
    void beyondAResourceControlIsOverTheLimitWithItsNumbers(String knob, String control) {
        solaris.standIn.set(knob, 2 * page);
        try (var held = locker.lock(MemoryRange.of(memory, page))) {
            refusal(
                    () -> locker.lock(MemoryRange.of(memory + page, 2 * page)),
                    Reason.OVER_LIMIT,
                    "EAGAIN",
                    control,
                    "asked for 8192 bytes",
                    "soft 8192 bytes",
                    "used 4096 bytes",
                    "has locked 4096 bytes",
                    "at least 12288 bytes",
                    "prctl -n project.max-locked-memory -r -v 12288",
                    "projmod");
        }
    }

    @Test
    void theFloorOfLockableMemoryIsOutOfMemoryIfTheCountsSaySo() {
        solaris.standIn.set("system_limit", 2 * page);
        solaris.available(100);
        refusal(
                lock(3),
                Reason.NO_LOCKABLE_MEMORY,
                "EAGAIN",
                "100 available",
                "pages_pp_maximum",
                "kstat -p unix:0:system_pages");
    }

    /** Whatever the resource controls allow. */
    @Test
    void theForecastKnowsTheFloorOfLockableMemory() {
        assertEquals(Tristate.YES, locker.forecast(page).fits());
        solaris.available(1000);
        Forecast none = locker.forecast(1001 * page);
        assertEquals(Tristate.NO, none.fits(), none.toString());
        assertEquals(Optional.of(Reason.NO_LOCKABLE_MEMORY), none.reason());
        assertTrue(none.remedies().toString().contains("kstat -p unix:0:system_pages"), none.toString());
        // Within what the system keeps by default.
        assertEquals(Tristate.UNKNOWN, locker.forecast(page).fits());
        assertEquals(
                Tristate.UNKNOWN,
                PageLockers.over(solaris.withoutKstat()).forecast(page).fits());
    }

    @Test
    void withoutTheCountsTheFloorCannotBeTold() {
        solaris.standIn.fail("MC_LOCK", 1, 11);
        refusal(lock(3), Reason.UNKNOWN, "EAGAIN", "does not report whether lockable memory is short");
    }

    @Test
    void unreadableResourceControlsDoNotDecide() {
        solaris.standIn.fail("getrctl", 0, 1);
        solaris.standIn.set("project", page);
        refusal(lock(2), Reason.UNKNOWN, "EAGAIN", "a resource control may forbid it");
        assertEquals(LimitValue.unknown(), locker.limits().all().get(0).soft());
    }

    @Test
    void theWholeAddressSpaceIsOverTheLimit() {
        solaris.standIn.set("project", page);
        refusal(
                () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT),
                Reason.OVER_LIMIT,
                "EAGAIN",
                "whole address space",
                "project.max-locked-memory");
    }

    @Test
    void noMemoryForTheAddressSpaceIsUnknown() {
        solaris.standIn.fail("MC_LOCKAS", 1, 12);
        refusal(
                () -> backend.lockAll(AddressSpaceScope.CURRENT, Set.of()),
                Reason.UNKNOWN,
                "ENOMEM",
                "MC_LOCKAS of what is mapped");
    }

    @ParameterizedTest
    @ValueSource(strings = {"MC_LOCK", "MC_UNLOCK", "MC_LOCKAS", "MC_UNLOCKAS", "MC_SYNC"})
    void aCallThatTheSystemLacksIsNotSupported(String command) {
        Map<String, Executable> calls = Map.of(
                "MC_LOCK", lock(1),
                "MC_UNLOCK", () -> backend.unlock(memory, page),
                "MC_LOCKAS", () -> backend.lockAll(AddressSpaceScope.FUTURE, Set.of()),
                "MC_UNLOCKAS", () -> backend.unlockAll(List.of()),
                "MC_SYNC", () -> backend.sync(memory, page, Set.of()));
        solaris.standIn.fail(command, 1, 89);
        refusal(calls.get(command), Reason.NOT_SUPPORTED, "ENOSYS", command + ": this system lacks the call");
    }

    @Test
    void noMemoryForTheKernelIsToldFromAHole() {
        solaris.standIn.fail("MC_LOCK", 1, 12);
        refusal(lock(3), Reason.NO_LOCKABLE_MEMORY, "ENOMEM", "every page of the range is mapped");
    }

    @Test
    void withoutTheMapAHoleCannotBeTold() {
        solaris.blind = true;
        solaris.standIn.unmap(memory + page, 1);
        refusal(lock(3), Reason.UNKNOWN, "ENOMEM", "/proc/self/map");
    }

    @Test
    void aFailureToReadIsAnIoError() {
        solaris.standIn.fail("MC_LOCK", 1, 5);
        refusal(lock(1), Reason.IO_ERROR, "EIO", "fmadm faulty");
    }

    @Test
    void aTruncatedPageCannotBePagedIn() {
        solaris.standIn.fail("MC_LOCK", 1, 14);
        refusal(lock(1), Reason.CANNOT_BE_PAGED_IN, "EFAULT", "up to its end");
    }

    @Test
    void anArgumentThatTheSystemRefusesIsUnknown() {
        solaris.standIn.fail("MC_LOCK", 1, 22);
        refusal(lock(1), Reason.UNKNOWN, "EINVAL", "no cause is known");
    }

    @Test
    void anErrnoOutsideTheTableIsUnknownAndHasNoName() {
        solaris.standIn.fail("MC_LOCK", 1, 200);
        PageLockException e = assertThrows(PageLockException.class, lock(1));
        assertEquals(Reason.UNKNOWN, e.reason());
        assertTrue(e.getMessage().contains("errno 200"), e.getMessage());
        assertTrue(e.errnoName().isEmpty());
    }

    @Test
    void pagesHeldForInputOrOutputAreBusy() {
        solaris.standIn.fail("MC_SYNC", 1, 11);
        refusal(() -> locker.sync(MemoryRange.of(memory, page)), Reason.BUSY, "EAGAIN", "input or output");
    }

    @Test
    void limitsAreThoseOfTheResourceControls() {
        solaris.standIn.set("project", 3 * page);
        try (var lock = locker.lock(MemoryRange.of(memory, page))) {
            var limits = locker.limits();
            assertEquals(3, limits.all().size());
            assertEquals(LimitValue.ofBytes(3 * page), limits.all().get(0).soft());
            assertEquals(OptionalLong.of(page), limits.all().get(0).used());
            assertEquals(LimitValue.unlimited(), limits.all().get(1).soft());
            assertEquals(OptionalLong.of(page), limits.lockedBytes());
            assertEquals(Tristate.YES, limits.privileged());
            assertEquals(LimitValue.ofBytes(2 * page), limits.lockable());
        }
    }

    @Test
    void theBitsOfMincoreAreNotBelievedIfTheyDoNotAddUp() {
        solaris.standIn.set("mincore_locked", 0);
        backend.lock(memory, page, Set.of());
        // Linux splits the mapping at the lock; a mapping that is locked in part comes of a file past its end.
        long file = solaris.standIn.mapFile(3);
        solaris.standIn.truncate(file, 1);
        assertThrows(PageLockException.class, () -> backend.lock(file, 3 * page, Set.of()));
        assertEquals(
                Tristate.YES, backend.pageStates(MemoryRange.of(memory, page)).locked(0));
        Set<Tristate> rest = EnumSet.of(
                backend.pageStates(MemoryRange.of(file, 3 * page)).locked(0),
                backend.pageStates(MemoryRange.of(memory + page, page)).locked(0));
        assertTrue(rest.contains(Tristate.NO), rest.toString());
    }

    @Test
    void whatIsNotConfirmedIsTold() {
        assertTrue(locker.backendInfo().notes().get(0).contains("Oracle Solaris 11 are not confirmed"));
        assertEquals(
                function.equals("mctl"), locker.backendInfo().notes().toString().contains("mctl"));
    }
}
