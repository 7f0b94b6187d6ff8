// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.Capability;
import io.pagelock.Forecast;
import io.pagelock.LimitValue;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.Harness.Ability;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Group P: looking. */
abstract class LookRules extends SyncRules {
    @Test
    void P1_theAnswersAreThoseOfTheWitness() {
        needs(Ability.SEE_LOCKED, Ability.SEE_RESIDENT);
        needsRoom(1);
        long memory = harness.map(3);
        harness.touch(memory);
        try (PageLock lock = locker.lock(pages(memory + page, 1))) {
            PageStates states = locker.pageStates(pages(memory, 3));
            assertEquals(3, states.pageCount());
            for (int i = 0; i < 3; i++) {
                long address = memory + i * page;
                assertEquals(
                        answer(Capability.LOCKED_PAGES, harness.isLocked(address)),
                        states.locked(i),
                        "locked, page " + i);
                boolean resident = harness.isResident(address);
                if (resident
                        || harness.abilities().contains(Ability.TELL_ABSENT)
                        || states.resident(i) != Tristate.UNKNOWN) {
                    assertEquals(
                            answer(Capability.RESIDENT_PAGES, resident), states.resident(i), "resident, page " + i);
                }
            }
        }
    }

    @Test
    void P2_anUnmappedPageIsNeitherLockedNorResident() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        PageStates states = locker.pageStates(pages(memory, 3));
        assertEquals(answer(Capability.LOCKED_PAGES, false), states.locked(1));
        assertEquals(answer(Capability.RESIDENT_PAGES, false), states.resident(1));
    }

    private Tristate answer(Capability capability, boolean truth) {
        return backend.capabilities().contains(capability) ? Tristate.of(truth) : Tristate.UNKNOWN;
    }

    @Test
    void P3_theLimitIsTheSystems() {
        needs(Ability.SEE_LIMIT);
        assertEquals(harness.limit(), locker.limits().all().get(0).soft());
    }

    @Test
    void P3_unlimitedAndANumberAreDifferentAnswers() {
        needs(Ability.SET_LIMIT, Ability.SET_UNLIMITED);
        harness.setLimit(8 * page);
        assertEquals(LimitValue.ofBytes(8 * page), locker.limits().all().get(0).soft());
        harness.setLimit(Long.MAX_VALUE);
        assertEquals(LimitValue.unlimited(), locker.limits().all().get(0).soft());
    }

    @Test
    void P4_lockedBytesAreTheSystemsCount() {
        needs(Capability.LOCKED_BYTES);
        needs(Ability.SEE_LOCKED_BYTES);
        needsRoom(3);
        long memory = harness.map(3);
        try (PageLock lock = locker.lock(pages(memory, 3))) {
            assertEquals(OptionalLong.of(harness.lockedBytes()), locker.limits().lockedBytes());
            // The system knows that these are gone; a count of calls does not.
            harness.unmap(memory, 2);
            assertEquals(OptionalLong.of(harness.lockedBytes()), locker.limits().lockedBytes());
        }
    }

    @Test
    void P5_theForecastIsNoExactlyWhereTheLimitRefuses() {
        needs(Ability.SET_LIMIT, Ability.SEE_LOCKED_BYTES);
        needs(Capability.LOCKED_BYTES);
        needsRoom(3);
        harness.setLimit(harness.lockedBytes() + 3 * page);
        assertEquals(Tristate.YES, locker.forecast(3 * page).fits());
        Forecast over = locker.forecast(3 * page + 1);
        assertEquals(Tristate.NO, over.fits());
        assertEquals(4 * page, over.bytes());
        assertFalse(over.remedies().isEmpty());
        PageLockException refused = refusal(harness.refusal(), () -> locker.lock(pages(harness.map(4), 4)));
        assertEquals(refused.reason(), over.reason().get());
        locker.lock(pages(harness.map(3), 3)).close();
    }

    @Test
    void P5_theForecastAgreesWithTheRoomThereIs() {
        long room = harness.room();
        Forecast page = locker.forecast(this.page);
        if (room >= this.page) {
            assertFalse(page.fits() == Tristate.NO, page.toString());
        } else {
            assertFalse(page.fits() == Tristate.YES, page.toString());
        }
        assumeTrue(room < Long.MAX_VALUE / 2, "needs a limit; this process has none");
        Forecast more = locker.forecast(room + this.page);
        assertFalse(more.fits() == Tristate.YES, more.toString());
        assertTrue(more.fits() == Tristate.UNKNOWN || more.reason().get() == harness.refusal(), more.toString());
    }
}
