// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static io.pagelock.backend.testkit.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.backend.testkit.Fixture;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.AddressSpaceLocking;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The answers of memcntl(2) and mctl(3UCB) that need no order to the kernel, so that they run on Solaris itself, too. */
abstract class SolarisKernelCases extends Fixture {
    private final String function;

    SolarisKernelCases(String function) {
        this.function = function;
    }

    private void refused(Executable call, Reason reason, String errno, String... words) {
        PageLockException e = assertRefused(call, reason, function, errno, words);
        assertEquals(SolarisConstants.ERRNO.numbers().get(errno), e.errno().orElse(0));
    }

    /** Refused though every call of the kernel succeeded. */
    private void foundOut(MemoryRange range, String words) {
        PageLockException e = assertThrows(PageLockException.class, () -> locker.lock(range));
        assertEquals(Reason.CANNOT_BE_PAGED_IN, e.reason(), e.getMessage());
        assertTrue(e.getMessage().contains(words), e.getMessage());
    }

    @Test
    void withoutThePrivilegeLockingIsNotPermitted() {
        needs(Ability.FORBID);
        MemoryRange range = pages(harness.map(1), 1);
        harness.forbid(true);
        refused(
                () -> locker.lock(range),
                Reason.NOT_PERMITTED,
                "EPERM",
                "proc_lock_memory is not in effect",
                "ppriv",
                "limitpriv");
    }

    @Test
    void withoutThePrivilegeUnlockingIsNotPermittedEither() {
        needs(Ability.FORBID);
        long memory = harness.map(1);
        var lock = locker.lock(pages(memory, 1));
        harness.forbid(true);
        refused(lock::close, Reason.NOT_PERMITTED, "EPERM", "MC_UNLOCK", "proc_lock_memory");
        assertLocked("1", memory);
        harness.forbid(false);
        lock.close();
    }

    @Test
    void eachLockCommandNamesThePrivilege() {
        needs(Ability.FORBID);
        AddressSpaceLocking all = backend.ability(AddressSpaceLocking.class).orElseThrow();
        harness.forbid(true);
        refused(() -> all.lockAll(AddressSpaceScope.FUTURE, Set.of()), Reason.NOT_PERMITTED, "EPERM", "MC_LOCKAS");
        refused(() -> all.unlockAll(List.of()), Reason.NOT_PERMITTED, "EPERM", "MC_UNLOCKAS");
    }

    @Test
    void aHoleIsNotMapped() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        refused(() -> locker.lock(pages(memory, 3)), Reason.NOT_MAPPED, "ENOMEM", "Keep the memory mapped");
        assertLocked("000", memory);
    }

    @Test
    void syncOverAHoleIsNotMapped() {
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        refused(() -> locker.sync(pages(memory, 3)), Reason.NOT_MAPPED, "ENOMEM");
    }

    @Test
    void invalidatingALockedPageIsBusy() {
        long memory = harness.map(2);
        try (var lock = locker.lock(pages(memory, 1))) {
            refused(() -> locker.sync(pages(memory, 2), SyncOption.INVALIDATE), Reason.BUSY, "EBUSY", "MS_INVALIDATE");
            locker.sync(pages(memory, 2));
            locker.sync(pages(memory, 2), SyncOption.ASYNC);
        }
    }

    @Test
    void aSuccessPastTheEndOfAFileIsFoundOut() {
        needs(Ability.TRUNCATE);
        long file = harness.mapFile(3);
        harness.truncate(file, 1);
        foundOut(pages(file, 3), "past the end of its file, which has " + page + " bytes");
        assertLocked("0", file);
    }

    @Test
    void aSuccessOverReservedMemoryIsFoundOut() {
        needs(Ability.MAP_UNLOCKABLE);
        long reserved = harness.mapUnlockable(2);
        harness.touch(reserved);
        foundOut(pages(reserved, 2), "MAP_NORESERVE");
        harness.touch(reserved + page);
        locker.lock(pages(reserved, 2)).close();
    }

    @Test
    void pagesWithoutAccessAreLockedLikeOthers() {
        long memory = harness.map(1);
        harness.touch(memory);
        harness.protect(memory, 1);
        try (var lock = locker.lock(pages(memory, 1))) {
            assertLocked("1", memory);
        }
    }
}
