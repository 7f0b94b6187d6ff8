// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.Fixture;
import io.pagelock.spi.PageStateReading;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What Linux answers in any process that may lock 64 KiB: in {@link LinuxKernelTest} this JVM, in {@link LinuxRemoteTest} that of
 * remote-agent.
 */
abstract class LinuxKernelCases extends Fixture {
    private long lockedBefore;

    @BeforeEach
    void count() {
        lockedBefore = harness.lockedBytes();
    }

    @AfterEach
    void nothingStaysLocked() {
        assertEquals(lockedBefore, harness.lockedBytes(), "something stayed locked");
    }

    /** What the kernel has marked as locked since the test began, in memory or not. */
    private long pagesMarked() {
        return (harness.lockedBytes() - lockedBefore) / page;
    }

    private PageStates states(long address, long count) {
        return reading().pageStates(pages(address, count));
    }

    private PageStateReading reading() {
        return backend.ability(PageStateReading.class).orElseThrow();
    }

    @Test
    void lockedPagesAreLockedAndNoOthers() {
        long at = harness.map(6);
        backend.lock(at + 2 * page, 2 * page, Set.of());
        assertEquals(2, pagesMarked());
        assertLocked("001100", at);
        backend.unlock(at + 2 * page, 2 * page);
        assertEquals(0, pagesMarked());
    }

    @Test
    void unlockedPagesAreNoErrorToUnlock() {
        backend.unlock(harness.map(1), page);
    }

    @Test
    void lockingAgainIsNotCountedTwice() {
        long at = harness.map(2);
        backend.lock(at, 2 * page, Set.of());
        backend.lock(at, 2 * page, Set.of());
        assertEquals(2, pagesMarked());
        backend.unlock(at, 2 * page);
        assertEquals(0, pagesMarked());
    }

    private PageLockException refusedAt(Reason reason, String function, Runnable call, long address) {
        return assertRefused(call::run, reason, function, "ENOMEM", Long.toHexString(address));
    }

    @Test
    void holeIsNotMappedWithItsAddress() {
        long at = harness.map(4);
        harness.unmap(at + 2 * page, 1);
        refusedAt(Reason.NOT_MAPPED, "mlock", () -> backend.lock(at, 4 * page, Set.of()), at + 2 * page);
        // The kernel keeps what comes before the hole; to undo that is the engine's part.
        assertEquals(2, pagesMarked());
        refusedAt(Reason.NOT_MAPPED, "munlock", () -> backend.unlock(at, 4 * page), at + 2 * page);
        assertEquals(0, pagesMarked());
    }

    @Test
    void holeAtTheStartAndAtTheEndAreFound() {
        long at = harness.map(2);
        refusedAt(Reason.NOT_MAPPED, "mlock", () -> backend.lock(at - page, 2 * page, Set.of()), at - page);
        refusedAt(Reason.NOT_MAPPED, "mlock", () -> backend.lock(at, 3 * page, Set.of()), at + 2 * page);
        backend.unlock(at, 2 * page);
    }

    @Test
    void pageWithoutAccessCannotBePagedIn() {
        long at = harness.map(4);
        harness.protect(at + 2 * page, 1);
        PageLockException thrown = refusedAt(
                Reason.CANNOT_BE_PAGED_IN, "mlock", () -> backend.lock(at, 4 * page, Set.of()), at + 2 * page);
        assertTrue(thrown.detail().contains("PROT_NONE"), thrown.detail());
        backend.unlock(at, 4 * page);
    }

    @Test
    void fileThatIsTruncatedUnderItsLockLosesPages() {
        long at = harness.mapFile(4);
        backend.lock(at, 4 * page, Set.of());
        harness.truncate(at, 1);
        // Pages that shared a large folio with what was cut off leave the page table too, until they are touched again.
        assertEquals(Tristate.of(harness.isResident(at)), states(at, 4).locked(0));
        harness.touch(at);
        PageStates states = states(at, 4);
        assertEquals(Tristate.YES, states.locked(0));
        assertEquals(Tristate.NO, states.locked(1));
        assertEquals(Tristate.NO, states.resident(1));
        refusal(Reason.CANNOT_BE_PAGED_IN, () -> backend.lock(at, 4 * page, Set.of()));
        backend.unlock(at, 4 * page);
    }

    @Test
    void onFaultPagesAreLockedWhenTheyAreTouched() {
        needs(Capability.LOCK_ON_FAULT);
        long at = harness.map(4);
        backend.lock(at, 4 * page, Set.of(LockOption.ON_FAULT));
        assertEquals(4, pagesMarked());
        assertTrue(harness.isOnFault(at));
        assertFalse(harness.isResident(at));
        PageStates before = states(at, 4);
        assertEquals(0, before.countLocked(Tristate.YES));
        assertEquals(4, before.countLocked(Tristate.NO));
        harness.touch(at + page);
        assertLocked("0100", at);
        PageStates after = states(at, 4);
        assertEquals(Tristate.YES, after.locked(1));
        assertEquals(Tristate.YES, after.resident(1));
        assertEquals(Tristate.NO, after.locked(2));
        backend.lock(at, 4 * page, Set.of());
        assertEquals(4, states(at, 4).countLocked(Tristate.YES));
        assertFalse(harness.isOnFault(at));
        backend.unlock(at, 4 * page);
    }

    @Test
    void onFaultDoesNotMindPagesThatCannotBePagedIn() {
        needs(Capability.LOCK_ON_FAULT);
        long at = harness.map(2);
        harness.protect(at, 1);
        backend.lock(at, 2 * page, Set.of(LockOption.ON_FAULT));
        assertEquals(2, pagesMarked());
        backend.unlock(at, 2 * page);
    }

    @Test
    void pagesTellsHolesUntouchedAndResident() {
        long at = harness.map(4);
        harness.touch(at + page);
        harness.unmap(at + 2 * page, 1);
        PageStates states = states(at - page, 6);
        for (int i = 0; i < 6; i++) {
            assertEquals(Tristate.of(i == 2), states.resident(i), "page " + i);
            assertEquals(Tristate.NO, states.locked(i), "page " + i);
        }
        assertEquals(
                Optional.of(List.of(pages(at, 2), pages(at + 3 * page, 1))),
                reading().mapped(pages(at - page, 6)));
    }

    @Test
    void pageWithoutAccessUnderALockIsNotLocked() {
        long at = harness.map(2);
        harness.protect(at + page, 1);
        assertThrows(PageLockException.class, () -> backend.lock(at, 2 * page, Set.of()));
        assertEquals(2, pagesMarked(), "the kernel counts it");
        assertEquals(Tristate.YES, states(at, 2).locked(0));
        assertEquals(Tristate.NO, states(at, 2).locked(1));
        backend.unlock(at, 2 * page);
    }

    @Test
    void invalidatingALockedPageIsBusy() {
        MemoryRange file = pages(harness.mapFile(2), 2);
        backend.lock(file.address() + page, page, Set.of());
        assertRefused(() -> locker.sync(file, SyncOption.INVALIDATE), Reason.BUSY, "msync", "EBUSY");
        locker.sync(file);
        backend.unlock(file.address() + page, page);
        locker.sync(file, SyncOption.INVALIDATE);
        locker.sync(file, SyncOption.ASYNC);
    }

    @Test
    void syncOfAHoleIsNotMappedWithItsAddress() {
        long at = harness.map(3);
        harness.unmap(at + page, 1);
        for (SyncOption[] options : new SyncOption[][] {{}, {SyncOption.ASYNC}}) {
            refusedAt(Reason.NOT_MAPPED, "msync", () -> locker.sync(pages(at, 3), options), at + page);
        }
    }

    @Test
    void limitsAreThoseOfTheKernel() {
        long at = harness.map(1);
        backend.lock(at, page, Set.of());
        assertEquals(harness.limit(), backend.limits().all().get(0).soft());
        assertEquals(harness.lockedBytes(), backend.limits().lockedBytes().orElseThrow());
        backend.unlock(at, page);
    }
}
