// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pagelock.AddressSpaceScope;
import io.pagelock.MemoryRange;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.backend.testkit.Fixture;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.AddressSpaceLocking;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The refusals of mlock(2), munlock(2), mlockall(2) and msync(2) that need no order to the kernel, so that they run on HP-UX itself, too. */
abstract class HpuxKernelCases extends Fixture {
    @Test
    void aHoleIsNotMapped() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        MemoryRange range = pages(memory, 3);
        assertRefused(() -> locker.lock(range), Reason.NOT_MAPPED, "mlock", "ENOMEM", "Keep the memory mapped");
        assertRefused(() -> backend.unlock(memory, 3 * page), Reason.NOT_MAPPED, "munlock", "ENOMEM");
        assertRefused(() -> locker.sync(range), Reason.NOT_MAPPED, "msync", "ENOMEM");
    }

    @Test
    void everyCallNeedsThePrivilege() {
        needs(Ability.FORBID);
        long memory = harness.map(1);
        var held = locker.lock(pages(memory, 1));
        AddressSpaceLocking all = backend.ability(AddressSpaceLocking.class).orElseThrow();
        harness.forbid(true);
        assertRefused(held::close, Reason.NOT_PERMITTED, "munlock", "EPERM", "setprivgrp", "effective user is");
        assertLocked("1", memory);
        assertRefused(
                () -> locker.lockAddressSpace(AddressSpaceScope.FUTURE), Reason.NOT_PERMITTED, "mlockall", "EPERM");
        assertRefused(() -> all.unlockAll(List.of()), Reason.NOT_PERMITTED, "munlockall", "EPERM");
        harness.forbid(false);
        held.close();
    }

    @Test
    void aLengthOfNullIsRefusedByTheSystemAndNeverGiven() {
        long memory = harness.map(1);
        assertRefused(() -> backend.lock(memory, 0, Set.of()), Reason.UNKNOWN, "mlock", "EINVAL", "a length of 0");
        assertThrows(IllegalArgumentException.class, () -> MemoryRange.of(memory, 0));
    }

    @Test
    void invalidatingALockedPageIsBusy() {
        MemoryRange range = pages(harness.map(1), 1);
        try (var held = locker.lock(range)) {
            assertRefused(() -> locker.sync(range, SyncOption.INVALIDATE), Reason.BUSY, "msync", "EBUSY");
        }
        locker.sync(range, SyncOption.ASYNC);
    }
}
