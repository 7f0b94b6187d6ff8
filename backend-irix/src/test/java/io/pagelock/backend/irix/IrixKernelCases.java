// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import static io.pagelock.backend.testkit.Refusals.assertRefused;

import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.backend.testkit.Fixture;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The refusals of mlock(3C), munlock(3C) and msync(2) that need no order to the kernel, so that they run on IRIX itself, too. */
abstract class IrixKernelCases extends Fixture {
    private static final String KEEP = "Keep the memory mapped";

    @Test
    void aHoleIsNotMapped() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        assertRefused(() -> locker.lock(pages(memory, 3)), Reason.NOT_MAPPED, "mlock", "ENOMEM", KEEP);
        assertLocked("000", memory);
    }

    @Test
    void unlockOverAHoleIsNotMapped() {
        long memory = harness.map(3);
        backend.lock(memory, 3 * page, Set.of());
        harness.unmap(memory + page, 1);
        assertRefused(() -> backend.unlock(memory, 3 * page), Reason.NOT_MAPPED, "munlock", "ENOMEM", KEEP);
    }

    @Test
    void syncOverAHoleIsNotMapped() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        assertRefused(() -> locker.sync(pages(memory, 3)), Reason.NOT_MAPPED, "msync", "ENOMEM", KEEP);
    }

    @Test
    void locksOfOthersEndWithOurs() {
        long memory = harness.map(1);
        backend.lock(memory, page, Set.of());
        locker.lock(pages(memory, 1)).close();
        assertLocked("0", memory);
    }

    @Test
    void invalidatingALockedPageIsBusy() {
        long memory = harness.map(1);
        try (var held = locker.lock(pages(memory, 1))) {
            assertRefused(
                    () -> locker.sync(pages(memory, 1), SyncOption.INVALIDATE),
                    Reason.BUSY,
                    "msync",
                    "EBUSY",
                    "locked");
        }
    }
}
