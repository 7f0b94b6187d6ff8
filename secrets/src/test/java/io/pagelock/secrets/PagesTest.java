// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.FakeBackend;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.ForwardingBackend;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.MemoryGuard;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How the memory of a pool ends where something fails. */
class PagesTest {
    private final FakeKernel kernel = new FakeKernel(KernelRules.of("linux"));
    private final Set<Long> guarded = new HashSet<>();
    private Error atUnlock;
    private Error atSecondGuard;

    /** Throws what a full heap would throw where a test says so. */
    private final class Starved extends ForwardingBackend {
        Starved() {
            super(new FakeBackend(kernel));
        }

        @Override
        public void unlock(long address, long length) {
            if (atUnlock != null) {
                throw atUnlock;
            }
            super.unlock(address, length);
        }

        @Override
        public void guard(long address, long length, MemoryGuard guard) {
            if (guard == MemoryGuard.NO_ACCESS) {
                if (atSecondGuard != null && !guarded.isEmpty()) {
                    throw atSecondGuard;
                }
                guarded.add(address);
            }
            super.guard(address, length, guard);
        }

        @Override
        public void unguard(long address, long length, MemoryGuard guard) {
            super.unguard(address, length, guard);
            guarded.remove(address);
        }
    }

    private final PageLocker locker = PageLockers.over(new Starved());

    @Test
    void guardsEndAndAllPagesAreReleasedWhateverTheUnlockThrows() {
        SecretPool pool = SecretPool.create(locker);
        Secret small = pool.allocate(32);
        Secret large = pool.allocate(3 * 4096);
        atUnlock = new OutOfMemoryError("as of a full heap");
        large.close();
        pool.close();
        assertEquals(Set.of(), guarded);
        assertEquals(0, pool.statistics().bytes());
        assertFalse(small.isOpen());
        atUnlock = null;
    }

    @Test
    void aGuardThatFailsHalfwayIsTakenBack() {
        atSecondGuard = new OutOfMemoryError("as of a full heap");
        assertThrows(OutOfMemoryError.class, () -> SecretPool.create(locker));
        assertEquals(Set.of(), guarded);
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void theEndOfTheJvmEndsPoolsSoThatNothingIsAllocatedAfterTheWipe() {
        SecretPool pool = SecretPool.create(locker);
        Secret secret = pool.allocate(32);
        secret.slot.slab.owner.wipe();
        assertFalse(secret.isOpen());
        assertThrows(IllegalStateException.class, () -> pool.allocate(32));
        assertEquals(0, pool.statistics().openSecrets());
        pool.close();
        assertEquals(Set.of(), guarded);
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aFullTableOfMappingsIsReportedAsWhyAGuardIsMissing() {
        PageLocker full = PageLockers.over(new ForwardingBackend(new FakeBackend(kernel)) {
            @Override
            public void guard(long address, long length, MemoryGuard guard) {
                throw PageLockException.because(Reason.TOO_MANY_MAPPINGS).build();
            }
        });
        try (SecretPool pool = SecretPool.create(full)) {
            assertEquals(Tristate.NO, pool.kept(Protection.GUARD_PAGES));
            assertTrue(pool.whyNot(Protection.GUARD_PAGES).orElseThrow().contains("too many mappings"));
        }
    }
}
