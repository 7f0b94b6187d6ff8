// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.Fixture;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.AddressSpaceLocking;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The answers of FreeBSD that need no order to the kernel, so that they run on FreeBSD itself, too. */
abstract class FreeBsdKernelCases extends Fixture {
    private static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }

    private Executable lock(long address, long count) {
        return () -> locker.lock(pages(address, count));
    }

    private long touched(int count) {
        long memory = harness.map(count);
        for (int i = 0; i < count; i++) {
            harness.touch(memory + i * page);
        }
        return memory;
    }

    @Test
    void lockedPagesAreReallyLockedAndSeen() {
        long memory = harness.map(4);
        try (PageLock lock = locker.lock(pages(memory + page, 2))) {
            assertLocked("0110", memory);
            PageStates states = locker.pageStates(pages(memory, 4));
            assertEquals(Tristate.NO, states.locked(0));
            assertEquals(Tristate.YES, states.locked(1));
            assertEquals(Tristate.YES, states.resident(2));
            assertNotEquals(Tristate.YES, states.resident(3));
        }
        assertLocked("0000", memory);
    }

    @Test
    void overTheLimitHasTheNumbersAndTheRemedyAlsoForRoot() {
        needs(Ability.SET_LIMIT, Ability.SEE_LOCKED_BYTES);
        long memory = harness.map(8);
        backend.lock(memory, 2 * page, Set.of());
        harness.setLimit(harness.lockedBytes() + 3 * page);
        PageLockException refused = assertRefused(
                lock(memory + 2 * page, 5),
                Reason.OVER_LIMIT,
                "mlock",
                "ENOMEM",
                Long.toString(5 * page),
                Long.toString(harness.lockedBytes()),
                "login.conf",
                "memorylocked",
                "limits -l",
                "ulimit -l",
                "root as well",
                backend.info().system());
        assertEquals(OptionalInt.of(12), refused.errno());
    }

    @Test
    void aHoleAnInaccessiblePageAndTheEndOfAFileAreToldApart() {
        long hole = harness.map(3);
        harness.unmap(hole + page, 1);
        assertRefused(lock(hole, 3), Reason.NOT_MAPPED, "mlock", "ENOMEM", hex(hole + page));
        long dark = harness.map(3);
        harness.protect(dark + 2 * page, 1);
        assertRefused(lock(dark, 3), Reason.CANNOT_BE_PAGED_IN, "mlock", "ENOMEM", hex(dark + 2 * page), "access");
        long file = harness.mapFile(3);
        harness.truncate(file, 1);
        assertRefused(lock(file, 3), Reason.CANNOT_BE_PAGED_IN, "mlock", "ENOMEM", hex(file + page), "shorter than");
        assertLocked("0", hole);
        assertLocked("0", dark);
        assertLocked("0", file);
    }

    @Test
    void whatTheLimitDoesNotCountIsRoomForTheForecast() {
        needs(Ability.SET_LIMIT, Ability.SET_UNLIMITED, Ability.SEE_LOCKED_BYTES);
        long dark = touched(4);
        backend.lock(dark, 4 * page, Set.of());
        harness.setLimit(harness.lockedBytes());
        assertEquals(Tristate.NO, locker.forecast(page).fits());
        harness.protect(dark, 4);
        assertEquals(Tristate.YES, locker.forecast(4 * page).fits());
        locker.lock(pages(harness.map(4), 4)).close();
        long file = harness.mapFile(64);
        harness.setLimit(Long.MAX_VALUE);
        backend.lock(file, 64 * page, Set.of());
        harness.protect(file, 32);
        harness.truncate(file, 32);
        harness.setLimit(harness.lockedBytes());
        assertEquals(Tristate.YES, locker.forecast(page).fits());
        backend.unlock(dark, 4 * page);
        backend.unlock(file, 64 * page);
    }

    @Test
    void unlockOverAHoleIsNotMapped() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        assertRefused(() -> backend.unlock(memory, 3 * page), Reason.NOT_MAPPED, "munlock", "ENOMEM");
    }

    @Test
    void asyncInvalidateWhichFreeBsdRefusesIsDoneAtOnce() {
        MemoryRange range = pages(harness.mapFile(2), 2);
        locker.sync(range, SyncOption.ASYNC, SyncOption.INVALIDATE);
        try (PageLock lock = locker.lock(pages(range.address(), 1))) {
            assertRefused(() -> locker.sync(range, SyncOption.INVALIDATE), Reason.BUSY, "msync", "EBUSY");
        }
    }

    @Test
    void theWholeAddressSpaceIsOverTheLimit() {
        needs(Ability.SET_LIMIT);
        AddressSpaceLocking all = backend.ability(AddressSpaceLocking.class).orElseThrow();
        harness.setLimit(1 << 20);
        assertRefused(
                () -> all.lockAll(AddressSpaceScope.CURRENT, Set.of()),
                Reason.OVER_LIMIT,
                "mlockall",
                "ENOMEM",
                "whole address space",
                "1048576 bytes");
    }

    @Test
    void aStaleErrnoIsNotLookedAt() {
        long memory = harness.map(2);
        harness.unmap(memory + page, 1);
        assertThrows(PageLockException.class, () -> backend.lock(memory, 2 * page, Set.of()));
        backend.lock(memory, page, Set.of());
        backend.unlock(memory, page);
    }

    private static Executable end(PendingLock pending) {
        return () -> {
            try {
                pending.get(60, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw e.getCause();
            }
        };
    }

    @Test
    void aLateRefusalIsExplainedLikeThatOfMlock() {
        needs(Capability.NATIVE_ASYNC);
        long hole = harness.map(3);
        harness.unmap(hole + page, 1);
        assertRefused(
                end(locker.lockAsync(pages(hole, 3))), Reason.NOT_MAPPED, "aio_mlock", "ENOMEM", hex(hole + page));
        assertLocked("000", hole);
        needs(Ability.SET_LIMIT, Ability.SEE_LOCKED_BYTES);
        long memory = harness.map(3);
        harness.setLimit(harness.lockedBytes() + 2 * page);
        assertRefused(
                end(locker.lockAsync(pages(memory, 3))),
                Reason.OVER_LIMIT,
                "aio_mlock",
                "ENOMEM",
                "login.conf",
                "memorylocked",
                "ulimit -l",
                Long.toString(3 * page));
        assertLocked("000", memory);
    }

    /** Some have begun when they are called off and some have not; which ones, the kernel decides. */
    @Test
    void whatIsCancelledIsNotLockedInTheEnd() throws Exception {
        needs(Capability.NATIVE_ASYNC);
        needsRoom(64);
        long memory = harness.map(64);
        List<PendingLock> all = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            all.add(locker.lockAsync(pages(memory + 4 * i * page, 4)));
        }
        for (PendingLock each : all) {
            if (!each.cancel(true)) {
                each.get(60, TimeUnit.SECONDS).close();
            }
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (locker.statistics().openHandles() > 0) {
            assertNotEquals(true, System.nanoTime() > end, () -> "still there: " + locker.statistics());
            Thread.sleep(5);
        }
        // Waits for whatever of ours is still under way.
        locker.lock(pages(memory, 64)).close();
        assertLocked("0".repeat(64), memory);
    }
}
