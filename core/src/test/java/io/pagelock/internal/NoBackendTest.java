// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.LockPolicy;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Programs on a system without a backend, as this module's tests are: what they go on with says "not locked" everywhere. */
class NoBackendTest {
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(100_000);

    @Test
    void requiredThrows() {
        assertThrows(PageLockException.class, PageLocker::system);
        assertThrows(PageLockException.class, () -> PageLocker.system(LockPolicy.REQUIRED));
        assertThrows(NullPointerException.class, () -> PageLocker.system(null));
    }

    @ParameterizedTest
    @EnumSource(names = {"BEST_EFFORT", "OFF"})
    void theOthersGoOnAndNeverPretend(LockPolicy policy) throws Exception {
        PageLocker locker = PageLocker.system(policy);
        assertSame(locker, PageLocker.system(policy));
        assertEquals(policy, locker.policy());
        try (PageLock lock = locker.lock(buffer);
                PageLock range = locker.lock(locker.rangeOf(buffer));
                PageLock onFault = locker.lock(MemoryRange.of(0x10000, 1), LockOption.ON_FAULT);
                PageLock async = locker.lockAsync(buffer).get(60, TimeUnit.SECONDS);
                AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE)) {
            for (PageLock each : List.of(lock, range, onFault, async)) {
                assertFalse(each.isValid());
                assertEquals(Reason.NOT_SUPPORTED, each.failure().orElseThrow().reason());
                assertEquals(
                        each.ranges().get(0),
                        each.failure().orElseThrow().range().orElseThrow());
            }
            assertFalse(all.isValid());
            assertEquals(100_000, lock.ranges().get(0).length());
            assertEquals(lock.ranges(), range.ranges());
            assertEquals(0, locker.statistics().openHandles());
            assertEquals(0, locker.statistics().lockedBytes());
            assertEquals(Tristate.NO, locker.report().kept());
            assertEquals(5, locker.report().notLocked().get(0).handles());
            String why = policy == LockPolicy.OFF
                    ? "locking is switched off by LockPolicy.OFF"
                    : "no backend is on the class or module path";
            assertTrue(locker.report().toString().contains(why), locker.report().toString());
        }
        assertEquals(List.of(), locker.report().notLocked());
        assertEquals("none", locker.backendInfo().name());
        assertEquals(EnumSet.noneOf(io.pagelock.Capability.class), locker.capabilities());
        assertEquals(Tristate.NO, locker.limits().permitted());
        assertEquals(Tristate.NO, locker.forecast(1).fits());
        assertEquals(Reason.NOT_SUPPORTED, locker.forecast(1).reason().orElseThrow());
        assertEquals(4096, locker.forecast(1).bytes());
        assertEquals(
                Tristate.NO,
                locker.forecastAddressSpace(AddressSpaceScope.CURRENT).fits());
        PageStates states = locker.pageStates(buffer);
        assertEquals(states.pageCount(), states.countLocked(Tristate.UNKNOWN));
        assertEquals(states.pageCount(), states.countResident(Tristate.UNKNOWN));
        assertEquals(
                Optional.empty(),
                locker.statistics().systemLockedBytes().stream().boxed().findFirst());
        assertThrows(UnsupportedOperationException.class, () -> locker.sync(buffer));
        assertThrows(IllegalArgumentException.class, () -> locker.lock(ByteBuffer.allocate(1)));
        assertThrows(IllegalArgumentException.class, () -> locker.forecast(-1));
    }

    /** Two ways to one truth: a slice begins where its parent has it. */
    @Test
    void theAddressOfABufferIsFound() {
        ByteBuffer moved = buffer.duplicate();
        moved.position(10);
        long address = BufferAddress.of(buffer);
        assertEquals(address, BufferAddress.of(moved));
        assertEquals(address + 10, BufferAddress.of(moved.slice()));
        assertEquals(address, BufferAddress.of(buffer.asReadOnlyBuffer()));
        if (Runtime.version().feature() < 22) {
            // Later JDKs warn of it, and have no need for it.
            assertEquals(address, BufferAddress.byUnsafe(buffer));
            assertEquals(address + 10, BufferAddress.byUnsafe(moved.slice()));
        }
    }
}
