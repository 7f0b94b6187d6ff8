// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.PageLock;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.MemoryGuarding;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Group G: guarded memory. */
abstract class GuardRules extends FailureRules {
    private MemoryGuarding guarding() {
        assumeTrue(backend.ability(MemoryGuarding.class).isPresent(), "needs the ability MemoryGuarding");
        return backend.ability(MemoryGuarding.class).get();
    }

    private String guarded(long address, int count, MemoryGuard guard) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(harness.isGuarded(address + i * page, guard) ? '1' : '0');
        }
        return text.toString();
    }

    /** Secret memory is locked. */
    private boolean hasRoomFor(MemoryGuard guard) {
        return guard != MemoryGuard.SECRET || harness.room() >= page;
    }

    private Set<MemoryGuard> usable() {
        Set<MemoryGuard> usable = EnumSet.copyOf(guarding().guards());
        usable.removeIf(guard -> !hasRoomFor(guard));
        return usable;
    }

    @Test
    void G1_aGuardIsOnThePagesOfItsRangeAndOnNoOthers() {
        needs(Ability.SEE_GUARDS);
        for (MemoryGuard guard : usable()) {
            long memory = harness.map(3);
            guarding().guard(memory + page, page, guard);
            assertEquals("010", guarded(memory, 3, guard), guard + " by the witness");
            guarding().guard(memory + page, page, guard);
            guarding().unguard(memory + page, page, guard);
        }
    }

    @Test
    void G2_theEndOfAGuardLeavesThePagesAsTheyWere() {
        needs(Ability.SEE_GUARDS);
        for (MemoryGuard guard : usable()) {
            long memory = harness.map(3);
            guarding().guard(memory, page, guard);
            guarding().unguard(memory, page, guard);
            guarding().unguard(memory + page, page, guard);
            for (MemoryGuard each : guarding().guards()) {
                assertEquals("000", guarded(memory, 3, each), each + " after the end of " + guard);
            }
            harness.touch(memory);
        }
    }

    @Test
    void G3_guardsAndLocksDoNotEndEachOther() {
        needs(Ability.SEE_GUARDS, Ability.SEE_LOCKED);
        needsRoom(1);
        Set<MemoryGuard> guards = EnumSet.copyOf(guarding().guards());
        guards.remove(MemoryGuard.NO_ACCESS);
        guards.remove(MemoryGuard.SECRET);
        long memory = harness.map(1);
        locker.lock(pages(memory, 1)).close();
        for (MemoryGuard guard : guards) {
            assertEquals("0", guarded(memory, 1, guard), guard + " set by a lock");
            guarding().guard(memory, page, guard);
        }
        assertLocked("0", memory);
        try (PageLock lock = locker.lock(pages(memory, 1))) {
            for (MemoryGuard guard : guards) {
                assertEquals("1", guarded(memory, 1, guard), guard + " while locked");
            }
            for (MemoryGuard guard : guards) {
                guarding().unguard(memory, page, guard);
                guarding().guard(memory, page, guard);
            }
            assertLocked("1", memory);
        }
        assertLocked("0", memory);
        for (MemoryGuard guard : guards) {
            assertEquals("1", guarded(memory, 1, guard), guard + " after the end of the lock");
            guarding().unguard(memory, page, guard);
        }
    }

    @Test
    void G4_aRangeWithAHoleIsNotMapped() {
        for (MemoryGuard guard : usable()) {
            long memory = harness.map(3);
            harness.unmap(memory + page, 1);
            refusal(Reason.NOT_MAPPED, () -> guarding().guard(memory, 3 * page, guard));
            refusal(Reason.NOT_MAPPED, () -> guarding().unguard(memory, 3 * page, guard));
            guarding().unguard(memory, page, guard);
            guarding().unguard(memory + 2 * page, page, guard);
        }
    }

    @Test
    void G5_whatIsNotDeclaredIsRefused() {
        long memory = harness.map(1);
        Set<MemoryGuard> declared = guarding().guards();
        assertEquals(declared, guarding().guards());
        for (MemoryGuard missing : EnumSet.complementOf(EnumSet.copyOf(declared))) {
            assertThrows(UnsupportedOperationException.class, () -> guarding().guard(memory, page, missing));
            assertThrows(UnsupportedOperationException.class, () -> guarding().unguard(memory, page, missing));
        }
    }

    @Test
    void G6_aForkedChildDoesNotSeeWhatIsNotInherited() {
        needs(Ability.FORK);
        assumeTrue(guarding().guards().contains(MemoryGuard.NOT_INHERITED), "needs the guard NOT_INHERITED");
        long memory = harness.map(2);
        harness.touch(memory);
        harness.touch(memory + page);
        guarding().guard(memory, page, MemoryGuard.NOT_INHERITED);
        assertTrue(harness.childReads(memory) <= 0, "the child reads what is not inherited");
        assertTrue(harness.childReads(memory + page) > 0, "the child lacks what is inherited");
        guarding().unguard(memory, page, MemoryGuard.NOT_INHERITED);
        assertTrue(harness.childReads(memory) > 0, "the child lacks what is inherited again");
    }
}
