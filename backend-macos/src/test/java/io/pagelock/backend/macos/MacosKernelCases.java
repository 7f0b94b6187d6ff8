// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.Fixture;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.PageStateReading;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The answers of mlock(2), munlock(2) and msync(2) that need no order to the kernel, so that they run on macOS itself, too. */
abstract class MacosKernelCases extends Fixture {
    /** Refused though every call of the kernel succeeded. */
    private static void foundOut(Executable call, Reason reason, String words) {
        PageLockException e = assertThrows(PageLockException.class, call);
        assertEquals(reason, e.reason(), e.getMessage());
        assertTrue(e.getMessage().contains(words), e.getMessage());
        assertFalse(e.remedies().isEmpty(), e.getMessage());
    }

    @Test
    void aHoleIsNotMapped() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        assertRefused(
                () -> locker.lock(pages(memory, 3)),
                Reason.NOT_MAPPED,
                "mlock",
                "ENOMEM",
                "nothing is mapped at",
                "Keep the memory mapped");
        assertLocked("000", memory);
    }

    @Test
    void aHoleThatTheKernelDoesNotSeeIsNotMapped() {
        long memory = harness.map(3);
        try (var held = locker.lock(pages(memory, 1))) {
            harness.unmap(memory + page, 1);
            foundOut(
                    () -> locker.lock(pages(memory, 3)),
                    Reason.NOT_MAPPED,
                    "nothing is mapped at 0x" + Long.toHexString(memory + page));
            assertLocked("100", memory);
            assertTrue(held.isValid());
        }
        assertLocked("000", memory);
    }

    @Test
    void unlockGoesOverAHoleThatTheKernelStopsBefore() {
        long memory = harness.map(6);
        backend.lock(memory, 6 * page, Set.of());
        harness.unmap(memory + 2 * page, 1);
        foundOut(() -> backend.unlock(memory, 6 * page), Reason.NOT_MAPPED, "nothing is mapped at");
        assertLocked("000000", memory);
    }

    @Test
    void theLimitOfTheProcessHasItsNumbersAndItsKnobs() {
        needs(Ability.SET_LIMIT);
        long memory = harness.map(6);
        backend.lock(memory + 5 * page, page, Set.of());
        harness.setLimit(2 * page);
        assertRefused(
                () -> locker.lock(pages(memory, 3)),
                Reason.OVER_LIMIT,
                "mlock",
                "EAGAIN",
                "asked for " + 3 * page + " bytes",
                "locked by this process " + page + " bytes",
                "RLIMIT_MEMLOCK soft limit " + 2 * page + " bytes",
                "ulimit -l " + 4 * page / 1024,
                "MemoryLock",
                "sysctl vm.user_wire_limit=" + 4 * page);
        assertLocked("000001", memory);
        backend.unlock(memory, 6 * page);
    }

    @Test
    void whatIsLockedAlreadyIsNotAskedForAgain() {
        needs(Ability.SET_LIMIT);
        long memory = harness.map(3);
        backend.lock(memory, 2 * page, Set.of());
        harness.setLimit(2 * page);
        assertRefused(
                () -> locker.lock(pages(memory, 3)),
                Reason.OVER_LIMIT,
                "mlock",
                "EAGAIN",
                "asked for " + page + " bytes",
                "ulimit -l " + 3 * page / 1024);
        backend.lock(memory, 2 * page, Set.of());
        backend.unlock(memory, 2 * page);
    }

    @Test
    void aPagePastTheEndOfItsFileCannotBePagedIn() {
        needs(Ability.TRUNCATE);
        long file = harness.mapFile(4);
        harness.truncate(file, 2);
        assertRefused(
                () -> locker.lock(pages(file, 4)),
                Reason.CANNOT_BE_PAGED_IN,
                "mlock",
                "ENOMEM",
                "past the end of its file",
                "Leave out");
        assertLocked("0", file);
    }

    @Test
    void syncOverAHoleIsNotMapped() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        assertRefused(
                () -> locker.sync(pages(memory, 3)), Reason.NOT_MAPPED, "msync", "ENOMEM", "Keep the memory mapped");
    }

    @Test
    void invalidatingALockedPageIsBusyThoughTheKernelWouldDoIt() {
        MemoryRange range = pages(harness.map(1), 1);
        try (var held = locker.lock(range)) {
            foundOut(() -> locker.sync(range, SyncOption.INVALIDATE), Reason.BUSY, "locked");
            assertTrue(held.isValid());
        }
        locker.sync(range, SyncOption.INVALIDATE, SyncOption.ASYNC);
        if (harness.abilities().contains(Ability.SEE_SYNC)) {
            assertEquals("sync invalidate", harness.lastSync(), "MS_ASYNC with another flag is not permitted");
        }
    }

    @Test
    void aHoleIsNeitherLockedNorInMemory() {
        long memory = harness.map(4);
        harness.touch(memory);
        backend.lock(memory, page, Set.of());
        harness.touch(memory + 2 * page);
        harness.unmap(memory + page, 1);
        PageStateReading reading = backend.ability(PageStateReading.class).orElseThrow();
        PageStates states = reading.pageStates(pages(memory, 4));
        assertEquals(
                List.of(Tristate.YES, Tristate.NO, Tristate.NO, Tristate.NO),
                List.of(states.locked(0), states.locked(1), states.locked(2), states.locked(3)));
        assertEquals(
                List.of(Tristate.YES, Tristate.NO, Tristate.YES, Tristate.NO),
                List.of(states.resident(0), states.resident(1), states.resident(2), states.resident(3)));
        assertEquals(Tristate.YES, reading.anyLocked(pages(memory, 4)));
        assertEquals(Tristate.NO, reading.anyLocked(pages(memory + page, 3)));
        backend.unlock(memory, page);
    }
}
