// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
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
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The errors of mlock(2), mlockall(2) and msync(2) that the stand-in is ordered to give: reason, function, number, finding and remedy.
 * {@link HpuxKernelCases} has the others.
 */
class HpuxFailureTest {
    private Hpux hpux;
    private StandIn standIn;
    private HpuxBackend backend;
    private PageLocker locker;
    private long page;
    private long memory;

    @BeforeEach
    void open() {
        hpux = Hpux.open();
        standIn = hpux.standIn;
        backend = hpux.probed();
        locker = PageLockers.over(backend);
        page = backend.pageSize();
        memory = standIn.map(4);
    }

    @AfterEach
    void reset() {
        Hpux.open();
        assertEquals(0, standIn.lockedBytes(), "VmLck after the test");
    }

    private Executable lock(long pages) {
        return () -> locker.lock(MemoryRange.of(memory, pages * page));
    }

    @Test
    void withoutMlockLockingIsNotPermittedAndTheAbsenceProvesNothing() {
        standIn.set("privileged", 0);
        assertRefused(
                lock(1),
                Reason.NOT_PERMITTED,
                "mlock",
                "EPERM",
                "effective user is 101",
                "none of the groups [20] of this process and not to all (PRIV_GLOBAL)",
                "is inconclusive",
                "setprivgrp GROUP MLOCK",
                "/etc/privgroup",
                "setfilexsec");
        assertEquals(Tristate.UNKNOWN, locker.limits().privileged());
    }

    @ParameterizedTest
    @CsvSource({"mlock_group, 20, group 20 of this process", "mlock_global, 1, every group (PRIV_GLOBAL)"})
    void aGrantIsFoundThroughTheStructure(String knob, long value, String words) {
        standIn.set(knob, value);
        standIn.set("privileged", 0);
        assertEquals(Tristate.YES, locker.limits().privileged());
        assertRefused(lock(1), Reason.NOT_PERMITTED, "mlock", "EPERM", "grants MLOCK to " + words);
    }

    @Test
    void aGrantToASupplementaryGroupCountsAndOneToAnotherDoesNot() {
        standIn.set("mlock_group", 77);
        assertEquals(Tristate.UNKNOWN, locker.limits().privileged());
        standIn.set("groups", 77);
        assertEquals(Tristate.YES, locker.limits().privileged());
    }

    @Test
    void withoutTheProbeTheStructureIsNotRead() {
        PageLocker unprobed = PageLockers.over(hpux.unprobed());
        standIn.set("mlock_global", 1);
        assertEquals(Tristate.UNKNOWN, unprobed.limits().privileged());
        assertEquals(0, standIn.calls("getprivgrp"));
        standIn.set("privileged", 0);
        assertRefused(
                () -> unprobed.lock(MemoryRange.of(memory, page)),
                Reason.NOT_PERMITTED,
                "mlock",
                "EPERM",
                "not confirmed",
                "the command getprivgrp shows");
    }

    @Test
    void theSuperuserIsAdvisedToGetTheFineGrainedPrivilege() {
        standIn.set("euid", 0);
        standIn.set("privileged", 0);
        PageLockException refused = assertRefused(
                lock(1), Reason.NOT_PERMITTED, "mlock", "EPERM", "effective user is 0", "setfilexsec", "privrun");
        assertFalse(refused.remedies().toString().contains("setprivgrp"), refused.remedies()::toString);
    }

    @Test
    void aRefusedGetprivgrpIsToldWithItsErrno() {
        standIn.fail("getprivgrp", 0, 1);
        standIn.set("privileged", 0);
        assertRefused(lock(1), Reason.NOT_PERMITTED, "mlock", "EPERM", "getprivgrp failed with errno 1");
    }

    @Test
    void tooLittleLockableMemoryIsOutOfMemory() {
        standIn.set("system_limit", 2 * page);
        assertRefused(lock(3), Reason.NO_LOCKABLE_MEMORY, "mlock", "EAGAIN", "asked for 12288 bytes", "unlockable_mem");
        assertRefused(
                () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT),
                Reason.NO_LOCKABLE_MEMORY,
                "mlockall",
                "EAGAIN");
    }

    @Test
    void noMemoryForTheAddressSpaceIsUnknown() {
        standIn.fail("mlockall", 1, 12);
        assertRefused(() -> locker.lockAddressSpace(AddressSpaceScope.CURRENT), Reason.UNKNOWN, "mlockall", "ENOMEM");
    }

    @Test
    void flagsThatAreRefusedAreUnknownAndTheirNumbersAreToldIfNotConfirmed() {
        standIn.fail("mlockall", 0, 22);
        PageLockException confirmed = assertRefused(
                () -> backend.lockAll(AddressSpaceScope.CURRENT, Set.of()),
                Reason.UNKNOWN,
                "mlockall",
                "EINVAL",
                "the flags were refused");
        assertFalse(confirmed.getMessage().contains("not confirmed"), confirmed.getMessage());
        assertRefused(
                () -> hpux.unprobed().lockAll(AddressSpaceScope.CURRENT, Set.of()),
                Reason.UNKNOWN,
                "mlockall",
                "EINVAL",
                "its number MCL_CURRENT is not confirmed",
                "tools/abi-probe");
    }

    @ParameterizedTest
    @CsvSource({
        "EIO, 5, IO_ERROR, /var/adm/syslog/syslog.log",
        "EINVAL, 22, UNKNOWN, an argument was refused",
        "EAGAIN, 11, UNKNOWN, no manual page of HP-UX explains"
    })
    void theErrorsOfSyncAreToldApart(String errno, int number, Reason reason, String words) {
        standIn.fail("msync", 1, number);
        assertRefused(() -> locker.sync(MemoryRange.of(memory, page)), reason, "msync", errno, words);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mlock", "munlock", "mlockall", "munlockall", "msync"})
    void aCallThatTheReleaseLacksIsNotSupported(String function) {
        Map<String, Executable> calls = Map.of(
                "mlock", lock(1),
                "munlock", () -> backend.unlock(memory, page),
                "mlockall", () -> backend.lockAll(AddressSpaceScope.FUTURE, Set.of()),
                "munlockall", () -> backend.unlockAll(List.of()),
                "msync", () -> locker.sync(MemoryRange.of(memory, page)));
        standIn.fail(function, 1, 251);
        assertRefused(calls.get(function), Reason.NOT_SUPPORTED, function, "ENOSYS", "lacks the call");
    }

    @Test
    void tryAgainIsNotWouldBlock() {
        standIn.fail("mlock", 1, 246);
        assertRefused(lock(1), Reason.UNKNOWN, "mlock", "EWOULDBLOCK");
    }

    @Test
    void theLimitsAreNoneAndUnknown() {
        assertEquals(LimitValue.none(), locker.limits().all().get(0).soft());
        assertEquals(LimitValue.unknown(), locker.limits().all().get(1).soft());
        assertTrue(locker.limits().lockedBytes().isEmpty());
    }

    @Test
    void withoutTheProbeThereIsNoSyncAndTheNotesSayWhy() {
        HpuxBackend unprobed = hpux.unprobed();
        assertFalse(unprobed.capabilities().contains(Capability.SYNC));
        String notes = unprobed.info().notes().toString();
        for (String word :
                new String[] {"MCL_CURRENT", "MS_SYNC (unknown)", "PRIV_GLOBAL (unknown)", HpuxProvider.ABI_PROPERTY}) {
            assertTrue(notes.contains(word), "'" + word + "' is not in: " + notes);
        }
        assertTrue(backend.capabilities().contains(Capability.SYNC));
        String confirmed = backend.info().notes().toString();
        assertFalse(confirmed.contains("not confirmed"), confirmed);
        assertTrue(confirmed.contains(Hpux.PROBE.getFileName().toString()), confirmed);
    }
}
