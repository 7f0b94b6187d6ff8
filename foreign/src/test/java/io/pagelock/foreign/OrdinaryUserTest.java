// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.backend.testkit.standin.OrdinaryUser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The life of a user who may lock 64 KiB. */
@EnabledOnOs(OS.LINUX)
class OrdinaryUserTest {
    @Test
    void segmentsAreLockedAsAnOrdinaryUser() {
        OrdinaryUser.passes(MemorySegmentsTest.class, 65536);
    }

    @Test
    void quotaIsUsedToTheLastPage() {
        OrdinaryUser.passes(Quota.class, 65536);
    }

    static class Quota {
        private final PageLocker locker = PageLocker.system();

        @Test
        void quotaHoldsAsManyKeysAsFitAndThenRefuses() {
            try (LockedArena arena = LockedArena.ofConfined(locker)) {
                for (int i = 0; i < 65536 / 32; i++) {
                    arena.allocate(32);
                }
                assertEquals(65536, ProcWitness.lockedBytes());
                PageLockException refused = assertThrows(PageLockException.class, () -> arena.allocate(32));
                assertEquals(Reason.OVER_LIMIT, refused.reason());
                assertEquals(65536, ProcWitness.lockedBytes());
            }
            assertEquals(0, ProcWitness.lockedBytes());
        }
    }
}
