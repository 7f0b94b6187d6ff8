// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Harness.Ability;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Group F: failures and what they say. */
abstract class FailureRules extends LookRules {
    @Test
    void F1_aRefusalNamesCallErrnoRangeAndSystem() {
        needsRoom(2);
        long memory = harness.map(2);
        harness.unmap(memory + page, 1);
        MemoryRange range = pages(memory, 2);
        PageLockException refused = refusal(Reason.NOT_MAPPED, () -> locker.lock(range));
        String message = refused.getMessage();
        assertFalse(refused.function().orElse("").isEmpty(), message);
        assertTrue(refused.errno().isPresent(), message);
        assertFalse(refused.errnoName().orElse("").isEmpty(), message);
        assertEquals(Optional.of(range), refused.range());
        assertEquals(Optional.of(backend.info().system()), refused.system());
        assertTrue(message.contains(refused.function().get()), message);
        assertTrue(
                message.contains(
                        refused.errno().getAsInt() + " " + refused.errnoName().get()),
                message);
        assertTrue(message.contains(Long.toHexString(memory)), message);
        assertTrue(message.contains(refused.system().get()), message);
        assertFalse(refused.remedies().isEmpty(), message);
        assertTrue(message.contains(refused.remedies().get(0)), message);
    }

    @Test
    void F2_aRefusalWithoutAFindableCauseIsUnknown() {
        needs(Ability.REFUSE_LOCK);
        needsRoom(1);
        MemoryRange range = pages(harness.map(1), 1);
        harness.refuseNextLock();
        refusal(Reason.UNKNOWN, () -> locker.lock(range));
    }

    @Test
    void F3_aRefusalForTheLimitHoldsTheNumbers() {
        needs(Ability.SET_LIMIT, Ability.SEE_LOCKED_BYTES);
        needsRoom(2);
        long memory = harness.map(8);
        locker.lock(pages(memory, 1)).close();
        harness.setLimit(harness.lockedBytes() + 3 * page);
        try (AutoCloseable held = locker.lock(pages(memory, 2))) {
            PageLockException refused = refusal(Reason.OVER_LIMIT, () -> locker.lock(pages(memory + 2 * page, 5)));
            String message = refused.getMessage();
            assertTrue(message.contains(Long.toString(5 * page)), "asked for: " + message);
            if (backend.capabilities().contains(Capability.LOCKED_BYTES)) {
                assertTrue(message.contains(Long.toString(harness.lockedBytes())), "locked already: " + message);
            }
            assertTrue(message.contains(locker.limits().all().get(0).soft().toString()), "soft limit: " + message);
            assertTrue(message.contains(locker.limits().all().get(0).hard().toString()), "hard limit: " + message);
            assertFalse(refused.remedies().isEmpty(), "remedy: " + message);
        } catch (PageLockException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void F4_overTheLimitIsNotWithoutTheRight() {
        needs(Ability.SET_LIMIT, Ability.SEE_LOCKED_BYTES);
        needsRoom(2);
        harness.setLimit(harness.lockedBytes() + page);
        PageLockException refused = refusal(Reason.OVER_LIMIT, () -> locker.lock(pages(harness.map(2), 2)));
        assertFalse(refused.remedies().isEmpty(), refused.getMessage());
    }

    @Test
    void F4_withoutTheRightIsNotOverTheLimit() {
        needs(Ability.FORBID);
        harness.forbid(true);
        PageLockException refused = refusal(Reason.NOT_PERMITTED, () -> locker.lock(pages(harness.map(1), 1)));
        assertFalse(refused.remedies().isEmpty(), refused.getMessage());
    }

    @Test
    void F4_aLockBeyondTheRoomThereIsIsRefusedByName() {
        long room = harness.room();
        assumeTrue(room < 1L << 30, () -> "needs a small limit; this process may lock " + room + " bytes");
        long pages = room / page + 1;
        PageLockException refused = refusal(harness.refusal(), () -> locker.lock(pages(harness.map(pages), pages)));
        assertFalse(refused.remedies().isEmpty(), refused.getMessage());
    }

    @Test
    void F5_aHoleIsNotMapped() {
        needsRoom(3);
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        refusal(Reason.NOT_MAPPED, () -> locker.lock(pages(memory, 3)));
    }

    @Test
    void F5_aPageWithoutAccessCannotBePagedIn() {
        needs(Ability.PROTECT);
        needsRoom(3);
        long memory = harness.map(3);
        harness.protect(memory + page, 1);
        refusal(Reason.CANNOT_BE_PAGED_IN, () -> locker.lock(pages(memory, 3)));
    }

    @Test
    void F5_aPagePastTheEndOfItsFileCannotBePagedIn() {
        needs(Ability.TRUNCATE);
        needsRoom(3);
        long memory = harness.mapFile(3);
        harness.truncate(memory, 1);
        refusal(Reason.CANNOT_BE_PAGED_IN, () -> locker.lock(pages(memory, 3)));
    }
}
