// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.LockPolicy;
import io.pagelock.LockReport;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.engine.PageLockers;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What becomes of locks that a system refuses, by policy, on a Linux with room for two pages. */
class LockPolicyTest {
    private static final long PAGE = 4096;

    private final FakeKernel kernel = new FakeKernel(Systems.of("linux"));
    private final FakeBackend backend = new FakeBackend(kernel);
    private final PageLocker locker = PageLockers.over(backend, LockPolicy.BEST_EFFORT);
    private final long memory = kernel.map(8, Kind.ANONYMOUS);

    LockPolicyTest() {
        kernel.setLimit(2 * PAGE);
    }

    private MemoryRange pages(int first, int count) {
        return MemoryRange.of(memory + first * PAGE, count * PAGE);
    }

    private static void assertNotLocked(Reason reason, PageLock lock) {
        assertFalse(lock.isValid());
        assertEquals(reason, lock.failure().orElseThrow().reason());
        assertTrue(lock.toString().endsWith("(not locked)"), lock.toString());
    }

    @Test
    void requiredIsTheDefaultAndThrows() {
        PageLocker required = PageLockers.over(backend, LockPolicy.REQUIRED);
        assertEquals(LockPolicy.REQUIRED, required.policy());
        assertEquals(LockPolicy.REQUIRED, PageLockers.over(backend).policy());
        assertThrows(PageLockException.class, () -> required.lock(pages(0, 3)));
        try (PageLock lock = required.lock(pages(0, 2))) {
            assertTrue(lock.failure().isEmpty());
            LockReport report = required.report();
            assertEquals(Tristate.YES, report.kept());
            assertEquals(2 * PAGE, report.lockedBytes());
            assertEquals(List.of(), report.notLocked());
        }
    }

    @Test
    void whatIsRefusedIsAHandleThatSaysSo() {
        MemoryRange asked = pages(0, 3);
        PageLock lock = locker.lock(asked);
        assertNotLocked(Reason.OVER_LIMIT, lock);
        assertEquals(List.of(asked), lock.ranges());
        assertFalse(kernel.isLocked(memory));
        LockReport report = locker.report();
        assertEquals(LockPolicy.BEST_EFFORT, report.policy());
        assertEquals(Tristate.NO, report.kept());
        assertEquals(1, report.notLocked().size());
        LockReport.NotLocked entry = report.notLocked().get(0);
        assertEquals(Reason.OVER_LIMIT, entry.reason());
        assertEquals(3 * PAGE, entry.bytes());
        assertEquals(lock.failure().get().remedies(), entry.remedies());
        lock.close();
        lock.close();
        assertFalse(lock.isValid());
        assertEquals(Tristate.YES, locker.report().kept());
        assertEquals(0, locker.statistics().openHandles());
    }

    @Test
    void whatFitsIsLockedBesideWhatDoesNot() {
        try (PageLock one = locker.lock(pages(0, 1));
                PageLock many = locker.lock(List.of(pages(2, 2), pages(5, 1)));
                PageLock buffer = locker.lock(ByteBuffer.allocateDirect((int) (3 * PAGE)))) {
            assertTrue(one.isValid() && kernel.isLocked(memory));
            assertNotLocked(Reason.OVER_LIMIT, many);
            assertNotLocked(Reason.OVER_LIMIT, buffer);
            LockReport report = locker.report();
            assertEquals(PAGE, report.lockedBytes());
            assertEquals(Tristate.YES, report.confirmed());
            assertEquals(2, report.notLocked().get(0).handles());
        }
        assertFalse(kernel.isLocked(memory));
    }

    @Test
    void anAsynchronousLockCompletesWithSuchAHandle() throws Exception {
        for (PendingLock pending : List.of(
                locker.lockAsync(pages(0, 3)),
                locker.lockAsync(List.of(pages(0, 2), pages(4, 1))),
                locker.lockAsync(ByteBuffer.allocateDirect((int) (3 * PAGE))),
                locker.lockAsync(pages(0, 3), Runnable::run),
                locker.lockAsync(List.of(pages(0, 3)), Runnable::run),
                locker.lockAsync(ByteBuffer.allocateDirect((int) (3 * PAGE)), Runnable::run))) {
            try (PageLock lock = pending.get(60, TimeUnit.SECONDS)) {
                assertNotLocked(Reason.OVER_LIMIT, lock);
            }
        }
        try (PageLock lock = locker.lockAsync(pages(0, 2)).get(60, TimeUnit.SECONDS)) {
            assertTrue(lock.isValid());
        }
        // An executor that takes no work is no refusal of the system.
        CompletionException rejected = assertThrows(
                CompletionException.class,
                () -> locker.lockAsync(pages(0, 1), work -> {
                            throw new RejectedExecutionException("full");
                        })
                        .toCompletableFuture()
                        .join());
        assertEquals(RejectedExecutionException.class, rejected.getCause().getClass());
    }

    @Test
    void theAddressSpaceToo() {
        try (AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT)) {
            assertFalse(all.isValid());
            assertEquals(Reason.OVER_LIMIT, all.failure().orElseThrow().reason());
            assertEquals(AddressSpaceScope.CURRENT, all.scope());
            assertEquals(0, locker.report().notLocked().get(0).bytes());
            assertEquals(Tristate.NO, locker.report().kept());
        }
        assertEquals(Tristate.YES, locker.report().kept());
    }

    @Test
    void aMissingCapabilityIsARefusal() throws Exception {
        Set<Capability> few = EnumSet.of(Capability.LOCKED_BYTES);
        PageLocker plain = PageLockers.over(new FakeBackend(kernel, few, true), LockPolicy.BEST_EFFORT);
        try (PageLock lock = plain.lock(pages(0, 1), LockOption.ON_FAULT);
                PageLock async =
                        plain.lockAsync(pages(0, 1), LockOption.ON_FAULT).get(60, TimeUnit.SECONDS);
                AddressSpaceLock all = plain.lockAddressSpace(AddressSpaceScope.FUTURE)) {
            assertNotLocked(Reason.NOT_SUPPORTED, lock);
            assertNotLocked(Reason.NOT_SUPPORTED, async);
            assertEquals(Set.of(LockOption.ON_FAULT), lock.options());
            assertFalse(all.isValid());
            assertEquals(3, plain.report().notLocked().get(0).handles());
        }
        assertEquals(
                Reason.NOT_SUPPORTED,
                plain.forecastAddressSpace(AddressSpaceScope.CURRENT).reason().orElseThrow());
        assertThrows(UnsupportedOperationException.class, () -> plain.sync(pages(0, 1)));
    }

    @Test
    void wrongArgumentsThrowAsEver() {
        assertThrows(IllegalArgumentException.class, () -> locker.lock(ByteBuffer.allocate(8)));
        assertThrows(IllegalArgumentException.class, () -> locker.lock(ByteBuffer.allocateDirect(0)));
        assertThrows(IllegalArgumentException.class, () -> locker.lock(List.of()));
        assertThrows(NullPointerException.class, () -> locker.lock(pages(0, 1), (LockOption) null));
        assertThrows(NullPointerException.class, () -> locker.lock((MemoryRange) null));
        assertThrows(
                NullPointerException.class, () -> locker.lockAsync(pages(0, 1), (java.util.concurrent.Executor) null));
        assertEquals(List.of(), locker.report().notLocked());
    }

    @Test
    void memoryThatWasUnmappedUnderAHandleIsNotKept() {
        PageLock lock = locker.lock(pages(0, 2));
        kernel.unmap(memory, 1);
        LockReport report = locker.report();
        assertEquals(Tristate.NO, report.confirmed());
        assertEquals(Tristate.NO, report.kept());
        assertEquals(PAGE, report.systemLockedBytes().getAsLong());
        lock.close();
    }

    @Test
    void aSystemThatDoesNotCountConfirmsNothing() {
        PageLocker blind = PageLockers.over(
                new FakeBackend(kernel, EnumSet.noneOf(Capability.class), true), LockPolicy.BEST_EFFORT);
        try (PageLock lock = blind.lock(pages(0, 1))) {
            assertTrue(lock.isValid());
            assertEquals(Tristate.UNKNOWN, blind.report().kept());
        }
    }
}
