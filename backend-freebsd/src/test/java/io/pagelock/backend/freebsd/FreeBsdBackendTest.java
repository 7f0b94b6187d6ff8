// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.Forecast;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.engine.PageLockers;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The unchanged backend, through JNA, against the stand-in: what it makes of answers that the stand-in is ordered to give.
 * {@link FreeBsdKernelCases} has those that need no order.
 */
class FreeBsdBackendTest {
    private static final long PAGE = FreeBsd.PAGE;

    private StandIn kernel;
    private FreeBsdBackend backend;
    private PageLocker locker;

    @BeforeEach
    void boot() {
        kernel = FreeBsd.standIn();
        backend = FreeBsd.backend();
        locker = PageLockers.over(backend);
    }

    @AfterEach
    void halt() {
        FreeBsd.reboot();
        // Sweeps what a refused munlock left over, which the reaper would otherwise unlock under a later test.
        locker.lock(pages(kernel.map(1), 1)).close();
        assertEquals(0, locker.statistics().leftoverBytes());
        kernel.reset();
    }

    private static MemoryRange pages(long address, long count) {
        return MemoryRange.of(address, count * PAGE);
    }

    private PageLockException refusal(Reason reason, long address, long pages) {
        PageLockException refused = assertThrows(PageLockException.class, () -> locker.lock(pages(address, pages)));
        assertEquals(reason, refused.reason(), refused.getMessage());
        return refused;
    }

    private static void assertSays(PageLockException refused, String... words) {
        String said = refused.getMessage() + "\n" + String.join("\n", refused.remedies());
        for (String word : words) {
            assertTrue(said.contains(word), "no \"" + word + "\" in: " + said);
        }
    }

    private long touched(int pages) {
        long address = kernel.map(pages);
        for (int i = 0; i < pages; i++) {
            kernel.touch(address + i * PAGE);
        }
        return address;
    }

    /** What is said of pages that are all in memory: y, n or ?. */
    private String resident(long address, int pages) {
        PageStates states = backend.pageStates(pages(address, pages));
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pages; i++) {
            text.append(states.resident(i) == Tristate.YES ? 'y' : states.resident(i) == Tristate.NO ? 'n' : '?');
        }
        return text.toString();
    }

    @Test
    void aMapThatChangesWithinMincoreMakesNoPageAbsent() {
        long address = touched(4);
        kernel.set("mincore_change_at", 3);
        kernel.set("mincore_changes", 1);
        assertEquals("yyyy", resident(address, 4));
        kernel.set("mincore_change_at", 4);
        kernel.set("mincore_changes", 1);
        assertEquals("yyyy", resident(address, 4));
    }

    @Test
    void aPageIsAbsentOnlyIfMincoreLooksBeyondThePageTable() {
        long address = kernel.map(2);
        kernel.touch(address);
        assertEquals("y?", resident(address, 2));
        kernel.set("mincore_mapped", 0);
        assertEquals("yn", resident(address, 2));
        // What cannot be read may be either.
        kernel.fail("sysctlbyname", 1, 1);
        assertEquals("y?", resident(address, 2));
        kernel.set("mincore_mapped", 1);
        kernel.set("osreldate", 1004000);
        backend = FreeBsd.backend();
        assertEquals("yn", resident(address, 2));
        kernel.unmap(address + PAGE, 1);
        kernel.set("osreldate", 1501000);
        assertEquals("yn", resident(address, 2));
    }

    @Test
    void whatMincoreContradictsItselfAboutIsUnknown() {
        kernel.set("mincore_mapped", 0);
        long address = touched(4);
        kernel.set("mincore_change_at", -1);
        kernel.set("mincore_changes", 3);
        assertFalse(resident(address, 4).contains("n"));
        kernel.set("mincore_change_at", 4);
        kernel.set("mincore_changes", -1);
        assertEquals("????", resident(address, 4));
    }

    @Test
    void lockedPagesAreResidentWithoutMincore() {
        long address = kernel.map(4);
        backend.lock(address, 4 * PAGE, Set.of());
        kernel.fail("mincore", 0, 12);
        assertEquals("yyyy", resident(address, 4));
        long file = kernel.mapFile(3);
        backend.lock(file, 3 * PAGE, Set.of());
        kernel.truncate(file, 1);
        // A file loses pages while its mapping stays locked, so they are asked for.
        assertEquals("???", resident(file, 3));
        kernel.fail("mincore", 0, 0);
        // Linux takes large folios apart by taking them out of the page table.
        kernel.touch(file);
        assertEquals("y??", resident(file, 3));
        backend.unlock(file, 3 * PAGE);
        backend.unlock(address, 4 * PAGE);
    }

    /** Three mappings in a row, the second locked, of which the second and third go missing in lists. */
    private long lost(long lists) {
        long address = touched(6);
        backend.lock(address + 2 * PAGE, 2 * PAGE, Set.of());
        kernel.set("vmmap_lost", address);
        kernel.set("vmmap_losing", lists);
        return address;
    }

    private String locked(long address, int pages) {
        PageStates states = backend.pageStates(pages(address, pages));
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pages; i++) {
            text.append(states.locked(i) == Tristate.YES ? '1' : states.locked(i) == Tristate.NO ? '0' : '?');
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void mappingsThatWereMergedWhileTheyWereListedAreFound(long lists) {
        long address = lost(lists);
        assertEquals("001100", locked(address, 6));
        kernel.set("vmmap_losing", lists);
        assertEquals("yyyyyy", resident(address, 6));
        kernel.set("vmmap_losing", lists);
        assertEquals(Optional.of(Collections.singletonList(pages(address, 6))), backend.mapped(pages(address, 6)));
        kernel.set("vmmap_losing", 1);
        assertEquals(
                OptionalLong.of(ProcWitness.lockedBytes()), backend.limits().lockedBytes());
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 1000})
    void mappingsThatDoNotStandStillAreUnknown(long lists) {
        long address = lost(lists);
        assertEquals("??????", locked(address, 6));
        assertEquals("yyyyyy", resident(address, 6));
        assertEquals(Optional.empty(), backend.mapped(pages(address, 6)));
        if (lists < 0) {
            assertEquals(OptionalLong.empty(), backend.limits().lockedBytes());
        }
    }

    @Test
    void aMappingThatIsMissingInAListIsNoHole() {
        long address = lost(1);
        kernel.fail("munlock", 1, 12);
        PageLockException refused = assertThrows(PageLockException.class, () -> backend.unlock(address, 6 * PAGE));
        assertEquals(Reason.UNKNOWN, refused.reason(), refused.getMessage());
        kernel.set("vmmap_losing", 2);
        kernel.fail("mlock", 1, 12);
        refusal(Reason.UNKNOWN, address, 6);
    }

    @Test
    void everyCapabilityOfFreeBsdIsDeclared() {
        assertEquals(
                EnumSet.of(
                        Capability.LOCK_ADDRESS_SPACE,
                        Capability.SYNC,
                        Capability.RESIDENT_PAGES,
                        Capability.LOCKED_PAGES,
                        Capability.LOCKED_BYTES,
                        Capability.NATIVE_ASYNC),
                backend.capabilities());
    }

    @Test
    void beforeTheFlagCameNothingIsSaidAboutLocks() {
        kernel.set("osreldate", 1004000);
        kernel.set("old_names", 1);
        FreeBsdBackend old = FreeBsd.backend();
        assertFalse(old.capabilities().contains(Capability.LOCKED_PAGES));
        long address = kernel.map(2);
        old.lock(address, PAGE, Set.of());
        PageStates states = old.pageStates(pages(address, 2));
        assertEquals(Tristate.UNKNOWN, states.locked(0));
        assertEquals(Tristate.YES, states.resident(0));
        LockLimits limits = old.limits();
        assertEquals(OptionalLong.empty(), limits.lockedBytes());
        assertEquals("vm.max_wired", limits.all().get(1).name());
        assertTrue(old.info().notes().toString().contains("12.3"));
        old.unlock(address, PAGE);
    }

    @Test
    void limitsAreReadWithScopeUseAndPrivilege() {
        kernel.set("limit_cur", 100 * PAGE);
        kernel.set("limit_max", 200 * PAGE);
        kernel.set("others_wired", 7);
        long before = ProcWitness.lockedBytes();
        long address = kernel.map(3);
        backend.lock(address, 3 * PAGE, Set.of());
        LockLimits limits = locker.limits();
        assertEquals(LimitValue.ofBytes(100 * PAGE), limits.all().get(0).soft());
        assertEquals(LimitValue.ofBytes(200 * PAGE), limits.all().get(0).hard());
        assertEquals(OptionalLong.of(before + 3 * PAGE), limits.lockedBytes());
        assertEquals("PRIV_VM_MLOCK", limits.privilege().get());
        assertEquals(Tristate.YES, limits.privileged());
        LockLimit system = limits.all().get(1);
        assertEquals("vm.max_user_wired", system.name());
        assertEquals(LockLimit.Scope.SYSTEM, system.scope());
        assertEquals(LimitValue.ofBytes(401644 * PAGE), system.soft());
        assertEquals(OptionalLong.of(before + 10 * PAGE), system.used());
        backend.unlock(address, 3 * PAGE);
    }

    @Test
    void unlimitedIsSaidForInfinityAndForASwitchedOffMaximum() {
        kernel.set("max_user_wired", -1);
        LockLimits limits = locker.limits();
        assertTrue(limits.all().get(0).soft().isUnlimited());
        assertTrue(limits.all().get(1).soft().isUnlimited());
    }

    @Test
    void whatCannotBeReadIsUnknown() {
        kernel.fail("getrlimit", 1, 22);
        kernel.set("capmode", 1);
        LockLimits limits = locker.limits();
        assertFalse(limits.all().get(0).soft().isKnown());
        assertFalse(limits.all().get(1).soft().isKnown());
        assertEquals(Tristate.UNKNOWN, limits.privileged());
        assertEquals(OptionalLong.empty(), limits.lockedBytes());
        kernel.set("capmode", 0);
        kernel.set("no_vmmap", 1);
        long address = kernel.map(1);
        kernel.touch(address);
        PageStates states = locker.pageStates(pages(address, 1));
        assertEquals(Tristate.UNKNOWN, states.locked(0));
        assertEquals(Tristate.YES, states.resident(0));
        assertEquals(Optional.empty(), backend.mapped(pages(address, 1)));
        assertEquals(OptionalLong.empty(), backend.addressSpaceBytes());
    }

    @Test
    void aSecondHandleAtTheLimitSucceedsThoughTheKernelChargesTwice() {
        long address = kernel.map(4);
        kernel.set("limit_cur", ProcWitness.lockedBytes() + 4 * PAGE);
        try (PageLock first = locker.lock(pages(address, 4))) {
            long refused = kernel.calls("mlock");
            try (PageLock second = locker.lock(pages(address, 4))) {
                assertEquals(refused + 1, kernel.calls("mlock"));
                first.close();
                assertEquals("1111", kernel.locked(address, 4));
            }
        }
        assertEquals("0000", kernel.locked(address, 4));
    }

    @Test
    void theMaximumOfTheSystemIsNotTheLimitOfTheProcess() {
        long address = kernel.map(8);
        kernel.set("others_wired", 401644 - 4 - ProcWitness.lockedBytes() / PAGE);
        assertSays(refusal(Reason.NO_LOCKABLE_MEMORY, address, 5), "vm.max_user_wired", "v_user_wire_count", "sysctl");
        kernel.set("max_user_wired", 2);
        assertSays(refusal(Reason.NO_LOCKABLE_MEMORY, address, 3), "vm.max_user_wired 8192 bytes");
    }

    @Test
    void onFreeBsd10AMaximumThatIsReachedIsEagain() {
        kernel.set("osreldate", 1004000);
        kernel.set("old_names", 1);
        locker = PageLockers.over(FreeBsd.backend());
        kernel.fail("mlock", 1, 35);
        assertSays(refusal(Reason.NO_LOCKABLE_MEMORY, kernel.map(1), 1), "vm.max_wired", "EAGAIN");
    }

    @Test
    void aShortageThatNothingExplainsIsUnknown() {
        long address = kernel.map(1);
        kernel.fail("mlock", 1, 12);
        assertFalse(refusal(Reason.UNKNOWN, address, 1).getMessage().contains("rctl"));
        kernel.set("no_vmmap", 1);
        kernel.fail("mlock", 1, 12);
        assertSays(refusal(Reason.UNKNOWN, address, 1), "cannot be read");
        kernel.fail("mlock", 1, 22);
        assertSays(refusal(Reason.UNKNOWN, address, 1), "EINVAL", "from a device");
    }

    private PageLockException refusedAll(AddressSpaceScope scope) {
        return assertThrows(PageLockException.class, () -> backend.lockAll(scope, Set.of()));
    }

    @ParameterizedTest
    @ValueSource(longs = {1501000, 1302000})
    void aRuleOfRctlIsNamedWhereNothingElseExplainsTheRefusal(long release) {
        kernel.set("osreldate", release);
        kernel.set("racct", 1);
        long before = ProcWitness.lockedBytes();
        kernel.set("rctl_memorylocked", before + 4 * PAGE);
        PageLockException refused = refusal(Reason.OVER_LIMIT, kernel.map(5), 5);
        assertSays(refused, "mlock", "ENOMEM", "rctl(8)", "memorylocked", "rctl -l process:");
        assertTrue(refused.remedies().get(0).startsWith("Raise or remove the rule"), refused.remedies()::toString);
        for (AddressSpaceScope scope : AddressSpaceScope.values()) {
            refused = refusedAll(scope);
            assertEquals(Reason.OVER_LIMIT, refused.reason(), refused.getMessage());
            assertSays(refused, "mlockall", "rctl(8)", "memorylocked");
        }
        kernel.set("limit_cur", 3 * PAGE);
        assertFalse(
                refusal(Reason.OVER_LIMIT, kernel.map(5), 5).remedies().get(0).startsWith("Raise or remove the rule"));
    }

    @Test
    void whereRulesOfRctlAreEnforcedNoForecastIsCertain() {
        assertEquals(Tristate.YES, locker.forecast(PAGE).fits());
        kernel.set("racct", 1);
        assertEquals(Tristate.UNKNOWN, locker.forecast(PAGE).fits());
        assertEquals(LimitValue.unknown(), locker.limits().lockable());
        kernel.set("limit_cur", PAGE);
        assertEquals(Tristate.NO, locker.forecast(2 * PAGE).fits());
    }

    @Test
    void aSecondHandleUnderARuleOfRctlSucceedsThoughTheKernelChargesTwice() throws Exception {
        kernel.set("racct", 1);
        long address = kernel.map(4);
        kernel.set("rctl_memorylocked", ProcWitness.lockedBytes() + 4 * PAGE);
        try (PageLock first = locker.lock(pages(address, 4))) {
            try (PageLock second = locker.lock(pages(address, 4));
                    PageLock third = locker.lockAsync(pages(address + PAGE, 2)).get(60, TimeUnit.SECONDS)) {
                first.close();
                assertEquals("1111", kernel.locked(address, 4));
                assertTrue(second.isValid() && third.isValid());
            }
        }
        assertEquals("0000", kernel.locked(address, 4));
    }

    @Test
    void aPageThatCannotBeReadIsAnIoError() {
        long file = kernel.mapFile(3);
        kernel.set("unreadable", file + PAGE);
        assertSays(
                refusal(Reason.IO_ERROR, file, 3),
                "ENOMEM",
                "0x" + Long.toHexString(file + PAGE),
                "dmesg(8)",
                "/var/log/messages");
        PageLockException refused = refusedAll(AddressSpaceScope.CURRENT);
        assertEquals(Reason.IO_ERROR, refused.reason(), refused.getMessage());
        assertSays(refused, "mlockall", "EAGAIN", "could not be read from its file");
    }

    @Test
    void sharedMemoryThatIsShorterThanItsMappingIsNamed() {
        kernel.set("posix_shm", 1);
        long address = kernel.mapFile(3);
        kernel.truncate(address, 1);
        assertSays(
                refusal(Reason.CANNOT_BE_PAGED_IN, address, 3),
                "shared memory mapped at 0x" + Long.toHexString(address),
                "shorter than its mapping");
        kernel.fail("mlockall", 1, 35);
        PageLockException refused = refusedAll(AddressSpaceScope.CURRENT);
        assertEquals(Reason.CANNOT_BE_PAGED_IN, refused.reason(), refused.getMessage());
        assertSays(refused, "mlockall", "EAGAIN", "shared memory", "shorter than its mapping");
    }

    @Test
    void withoutMincoreRoomThatTheLimitMayNotCountIsUnknown() {
        long file = kernel.mapFile(64);
        backend.lock(file, 64 * PAGE, Set.of());
        kernel.truncate(file, 32);
        kernel.set("limit_cur", ProcWitness.lockedBytes());
        kernel.fail("mincore", 0, 12);
        assertEquals(Tristate.UNKNOWN, locker.forecast(PAGE).fits());
        backend.unlock(file, 64 * PAGE);
    }

    @Test
    void rootInAJailWithoutASuperuserIsNotToldToRunAsRoot() {
        kernel.set("unprivileged_mlock", 0);
        kernel.set("suser_enabled", 0);
        kernel.set("jailed", 1);
        kernel.set("mlock_allowed", 1);
        PageLockException refused = refusal(Reason.NOT_PERMITTED, kernel.map(1), 1);
        assertSays(refused, "security.bsd.unprivileged_mlock=1, from outside the jail", "allow.suser");
        assertFalse(refused.getMessage().contains("Run as root"), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"mlock", "munlock", "mlockall", "munlockall", "msync"})
    void aCallThatTheKernelLacksIsNotSupportedAndAnArgumentItRefusesUnknown(String function) {
        long address = kernel.map(1);
        Map<String, Executable> calls = Map.of(
                "mlock", () -> backend.lock(address, PAGE, Set.of()),
                "munlock", () -> backend.unlock(address, PAGE),
                "mlockall", () -> backend.lockAll(AddressSpaceScope.FUTURE, Set.of()),
                "munlockall", () -> backend.unlockAll(Collections.emptyList()),
                "msync", () -> backend.sync(address, PAGE, Set.of()));
        kernel.fail(function, 1, 78);
        PageLockException lacking = assertThrows(PageLockException.class, calls.get(function));
        assertEquals(Reason.NOT_SUPPORTED, lacking.reason(), lacking.getMessage());
        assertSays(lacking, function, "ENOSYS", "this kernel lacks the call");
        kernel.fail(function, 1, 22);
        PageLockException refused = assertThrows(PageLockException.class, calls.get(function));
        assertEquals(Reason.UNKNOWN, refused.reason(), refused.getMessage());
        assertSays(refused, function, "EINVAL");
    }

    @Test
    void withoutTheRightTheKnobIsNamed() {
        kernel.set("unprivileged_mlock", 0);
        kernel.set("euid", 1001);
        assertSays(refusal(Reason.NOT_PERMITTED, kernel.map(1), 1), "security.bsd.unprivileged_mlock=1", "EPERM");
        assertEquals(Tristate.NO, locker.limits().privileged());
        Forecast forecast = locker.forecast(1);
        assertEquals(Tristate.NO, forecast.fits());
        assertEquals(Optional.of(Reason.NOT_PERMITTED), forecast.reason());
        kernel.set("euid", 0);
        locker.lock(pages(kernel.map(1), 1)).close();
    }

    @Test
    void rootWithoutItsRightsIsAUserLikeOthers() {
        kernel.set("suser_enabled", 0);
        assertEquals(Tristate.YES, locker.limits().privileged());
        kernel.set("unprivileged_mlock", 0);
        assertEquals(Tristate.NO, locker.limits().privileged());
        assertEquals(Tristate.NO, locker.forecast(1).fits());
        assertSays(refusal(Reason.NOT_PERMITTED, kernel.map(1), 1), "security.bsd.unprivileged_mlock=1");
        kernel.set("suser_enabled", 1);
        assertEquals(Tristate.YES, locker.limits().privileged());
    }

    @Test
    void inAJailTheJailIsNamedForRootToo() {
        long address = kernel.map(2);
        backend.lock(address, PAGE, Set.of());
        kernel.set("jailed", 1);
        assertSays(refusal(Reason.NOT_PERMITTED, address, 2), "allow.mlock", "jail.conf", "not even root");
        PageLockException refused = assertThrows(PageLockException.class, () -> backend.unlock(address, PAGE));
        assertEquals(Reason.NOT_PERMITTED, refused.reason());
        assertEquals(Tristate.NO, locker.limits().permitted());
        Forecast forecast = locker.forecast(1);
        assertEquals(Optional.of(Reason.NOT_PERMITTED), forecast.reason());
        assertTrue(forecast.remedies().get(0).contains("allow.mlock"), forecast::toString);
        kernel.set("mlock_allowed", 1);
        kernel.set("euid", 1001);
        assertEquals(Tristate.YES, locker.limits().privileged());
        backend.unlock(address, PAGE);
    }

    @Test
    void aRefusalThatNeitherJailNorSysctlExplainsSaysSo() {
        kernel.fail("mlock", 1, 1);
        assertSays(refusal(Reason.NOT_PERMITTED, kernel.map(1), 1), "PRIV_VM_MLOCK", "neither");
    }

    @Test
    void aRefusedUnlockWithoutAHoleIsUnknown() {
        long address = kernel.map(1);
        kernel.fail("munlock", 1, 12);
        PageLockException other = assertThrows(PageLockException.class, () -> backend.unlock(address, PAGE));
        assertEquals(Reason.UNKNOWN, other.reason());
    }

    @Test
    void aFailureToWriteBackIsAnIoError() {
        long address = kernel.mapFile(2);
        kernel.fail("msync", 1, 5);
        PageLockException io = assertThrows(PageLockException.class, () -> locker.sync(pages(address, 2)));
        assertEquals(Reason.IO_ERROR, io.reason());
        assertSays(io, "EIO", "dmesg(8)");
    }

    @Test
    void theFutureThatAFailedLockOfEverythingLeavesBehindIsCleared() {
        assumeTrue(
                ProcWitness.roomToLock() == Long.MAX_VALUE,
                "FUTURE is real here, and would end this JVM under a small limit of Linux");
        kernel.set("others_wired", 401644);
        PageLockException refused = assertThrows(
                PageLockException.class, () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE));
        assertEquals(Reason.NO_LOCKABLE_MEMORY, refused.reason(), refused.getMessage());
        assertSays(refused, "mlockall", "vm.max_user_wired");
        assertEquals(1, kernel.calls("munlockall"));
        assertEquals(0, kernel.get("future"));
        assertEquals("0", kernel.locked(kernel.map(1), 1));
    }

    @Test
    void theRefusalsOfMlockallAreToldApart() {
        kernel.truncate(kernel.mapFile(3), 1);
        kernel.fail("mlockall", 1, 35);
        PageLockException refused =
                assertThrows(PageLockException.class, () -> backend.lockAll(AddressSpaceScope.CURRENT, Set.of()));
        assertEquals(Reason.CANNOT_BE_PAGED_IN, refused.reason(), refused.getMessage());
        kernel.set("jailed", 1);
        refused = assertThrows(PageLockException.class, () -> backend.unlockAll(Collections.emptyList()));
        assertEquals(Reason.NOT_PERMITTED, refused.reason(), refused.getMessage());
    }

    @Test
    void mappingsThatAreLongerThanExpectedAreReadAgain() {
        kernel.fail("sysctl", 1, 12);
        long address = kernel.map(1);
        assertTrue(backend.mapped(pages(address, 1)).isPresent());
    }

    @Test
    void theMappingsAreWalkedTwiceForOneQuestion() {
        long address = kernel.map(4);
        kernel.fail("mlock", 1, 12);
        long before = kernel.calls("sysctl");
        assertThrows(PageLockException.class, () -> backend.lock(address, 4 * PAGE, Set.of()));
        assertEquals(2, kernel.calls("sysctl") - before);
        backend.pageStates(pages(address, 4));
        assertEquals(4, kernel.calls("sysctl") - before);
    }
}
