// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.Forecast;
import io.pagelock.LockLimit;
import io.pagelock.LockOption;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.AddressSpaceLocking;
import java.util.Collections;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Group A: locking the address space. */
abstract class AddressSpaceRules extends LockRules {
    private static final long LARGE = 4096;

    private String lockedNewPage() {
        return locked(harness.map(1), 1);
    }

    @Test
    void A1_currentDoesNotSwitchFutureOff() {
        needs(Ability.SEE_LOCKED);
        needsAddressSpace();
        long memory = harness.map(1);
        AddressSpaceLock future = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        AddressSpaceLock current = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        assertLocked("1", memory);
        assertEquals("1", lockedNewPage(), "a mapping made after FUTURE and then CURRENT");
        current.close();
        future.close();
    }

    @Test
    void A2_aFailedCallLeavesNoFutureBehind() {
        needs(Ability.SEE_LOCKED, Ability.SEE_LOCKED_BYTES, Ability.SET_LIMIT, Ability.SET_UNLIMITED);
        needsAddressSpace();
        long memory = harness.map(2);
        harness.setLimit(harness.lockedBytes() + page);
        refusal(harness.refusal(), () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE));
        harness.setLimit(Long.MAX_VALUE);
        assertLocked("00", memory);
        assertEquals("0", lockedNewPage(), "a mapping made after the failure");
    }

    @Test
    void A2_aFailedCallKeepsTheFutureThatWasThere() {
        needs(Ability.SEE_LOCKED, Ability.SEE_LOCKED_BYTES, Ability.SET_LIMIT, Ability.SET_UNLIMITED);
        needsAddressSpace();
        harness.map(2);
        AddressSpaceLock future = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        harness.setLimit(harness.lockedBytes() + page);
        refusal(harness.refusal(), () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT));
        harness.setLimit(Long.MAX_VALUE);
        assertEquals("1", lockedNewPage(), "a mapping made after the failure");
        future.close();
        assertEquals("0", lockedNewPage(), "a mapping made after the end");
    }

    @Test
    void A3_aHandleStaysLockedThroughAnAddressSpaceLockAndItsEnd() {
        needs(Ability.SEE_LOCKED);
        needsAddressSpace();
        long memory = harness.map(2);
        try (PageLock lock = locker.lock(pages(memory, 2))) {
            AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
            assertLocked("11", memory);
            all.close();
            assertLocked("11", memory);
            assertTrue(lock.isValid());
        }
        assertLocked("00", memory);
    }

    @Test
    void A4_aHandleClosedUnderAnAddressSpaceLockLeavesItsPagesLocked() {
        needs(Ability.SEE_LOCKED);
        needsAddressSpace();
        long memory = harness.map(2);
        PageLock lock = locker.lock(pages(memory, 2));
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        lock.close();
        assertFalse(lock.isValid());
        assertLocked("11", memory);
        all.close();
        assertLocked("00", memory);
    }

    @Test
    void A5_theEndUnlocksEverythingAndEndsFuture() {
        needs(Ability.SEE_LOCKED);
        needsAddressSpace();
        long memory = harness.map(2);
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE);
        long later = harness.map(1);
        assertLocked("11", memory);
        assertLocked("1", later);
        all.close();
        assertFalse(all.isValid());
        assertLocked("00", memory);
        assertLocked("0", later);
        assertEquals("0", lockedNewPage(), "a mapping made after the end");
    }

    @Test
    void A6_closingFutureLeavesCurrent() {
        needs(Ability.SEE_LOCKED);
        needsAddressSpace();
        long memory = harness.map(1);
        AddressSpaceLock current = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        AddressSpaceLock future = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        assertEquals("1", lockedNewPage(), "a mapping made under FUTURE");
        future.close();
        assertLocked("1", memory);
        assertEquals("0", lockedNewPage(), "a mapping made after FUTURE ended");
        current.close();
        assertLocked("0", memory);
    }

    @Test
    void A6_closingCurrentLeavesFuture() {
        needs(Ability.SEE_LOCKED);
        needsAddressSpace();
        long memory = harness.map(1);
        AddressSpaceLock future = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        AddressSpaceLock current = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        current.close();
        assertLocked("1", memory);
        assertEquals("1", lockedNewPage(), "a mapping made while FUTURE is open");
        future.close();
        assertLocked("0", memory);
    }

    @Test
    void A7_garbageCollectionDoesNotEndAnAddressSpaceLock() throws InterruptedException {
        needs(Ability.SEE_LOCKED);
        needsAddressSpace();
        long memory = harness.map(1);
        locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        try {
            for (int i = 0; i < 5; i++) {
                System.gc();
                Thread.sleep(20);
                locker.statistics();
            }
            assertLocked("1", memory);
        } finally {
            backend.ability(AddressSpaceLocking.class).get().unlockAll(Collections.emptyList());
        }
    }

    @Test
    void A8_theForecastTellsWhatWillBeCharged() {
        needs(Capability.LOCK_ADDRESS_SPACE);
        Forecast before = forecastOfCurrent();
        if (addressSpaceBytes().isPresent()) {
            harness.map(LARGE);
            Forecast after = forecastOfCurrent();
            // Other memory of this process comes and goes meanwhile, but not half as much.
            assertTrue(
                    after.bytes() - before.bytes() >= LARGE * page / 2,
                    () -> "mapping " + LARGE * page + " bytes changed the charge from " + before.bytes() + " to "
                            + after.bytes());
        } else {
            assertEquals(Tristate.UNKNOWN, before.fits());
        }
    }

    /** Asked again for the same reason as {@link #addressSpaceBytes}. */
    private Forecast forecastOfCurrent() {
        Forecast forecast = locker.forecastAddressSpace(AddressSpaceScope.CURRENT);
        for (int looks = 1; looks < MOST_LOOKS && forecast.bytes() == 0; looks++) {
            forecast = locker.forecastAddressSpace(AddressSpaceScope.CURRENT);
        }
        return forecast;
    }

    /** Whoever says that more is charged than is must be surprised by a success. */
    @Test
    void A8_noMoreIsChargedThanTheForecastSays() {
        needs(Capability.LOCK_ADDRESS_SPACE);
        needs(Ability.SEE_LOCKED_BYTES, Ability.SET_LIMIT, Ability.SET_UNLIMITED);
        needsRoom(1);
        boolean alone = backend.limits().all().get(0).scope() == LockLimit.Scope.PROCESS;
        assumeTrue(
                alone && addressSpaceBytes().isPresent(),
                "needs a charge that is known, against a limit of the process");
        harness.map(LARGE);
        // Less by so much as other memory of this process may go meanwhile.
        long limit = addressSpaceBytes().getAsLong() - LARGE * page / 2;
        harness.setLimit(limit);
        try {
            locker.lockAddressSpace(AddressSpaceScope.CURRENT).close();
        } catch (PageLockException e) {
            assertEquals(harness.refusal(), e.reason(), e.getMessage());
            return;
        } finally {
            harness.setLimit(Long.MAX_VALUE);
        }
        fail("all is locked under a limit of " + limit + " bytes, less than the charge that the backend reports");
    }

    @Test
    void A8_theForecastIsNoUnderASmallLimit() {
        needs(Capability.LOCK_ADDRESS_SPACE);
        needs(Ability.SEE_LOCKED, Ability.SEE_LOCKED_BYTES, Ability.SET_LIMIT);
        needsRoom(1);
        long memory = harness.map(2);
        assertNotEquals(
                Tristate.NO,
                locker.forecastAddressSpace(AddressSpaceScope.FUTURE).fits());
        harness.setLimit(harness.lockedBytes() + page);
        Forecast forecast = forecastOfCurrent();
        boolean alone = backend.limits().all().get(0).scope() == LockLimit.Scope.PROCESS;
        if (addressSpaceBytes().isPresent() && !alone) {
            // What others share may be charged to them already, so that a no would be a guess.
            assertNotEquals(Tristate.YES, forecast.fits(), forecast.toString());
        } else if (addressSpaceBytes().isPresent()) {
            assertEquals(Tristate.NO, forecast.fits(), forecast.toString());
            assertEquals(Optional.of(harness.refusal()), forecast.reason());
            assertFalse(forecast.remedies().isEmpty());
        }
        assertLocked("00", memory);
    }

    @Test
    void A9_onFaultForTheAddressSpaceDoesNotWeakenAHandle() {
        needs(Capability.LOCK_ADDRESS_SPACE_ON_FAULT);
        needs(Ability.SEE_LOCKED, Ability.SEE_ON_FAULT);
        needsAddressSpace();
        long memory = harness.map(2);
        try (PageLock lock = locker.lock(pages(memory, 1))) {
            AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT, LockOption.ON_FAULT);
            assertLocked("10", memory);
            assertFalse(harness.isOnFault(memory), "the full lock was weakened");
            assertTrue(harness.isOnFault(memory + page));
            all.close();
            assertLocked("10", memory);
        }
    }
}
