// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.engine.PageLockers;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Each call has a form for a buffer, a range and many ranges. */
class CallFormsTest {
    private static final Executor HERE = Runnable::run;

    private final FakeKernel kernel = new FakeKernel(Systems.of("linux"));
    private final PageLocker locker = PageLockers.over(new FakeBackend(kernel));
    private final long page = locker.pageSize();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(1);
    private final MemoryRange range = locker.rangeOf(buffer);
    private final List<MemoryRange> two =
            Arrays.asList(range, MemoryRange.of(kernel.map(1, FakeKernel.Kind.ANONYMOUS), 1));

    @Test
    void everyFormLocks() throws Exception {
        List<PageLock> locks = new ArrayList<>(List.of(locker.lock(buffer), locker.lock(range), locker.lock(two)));
        List<PendingLock> pending = List.of(
                locker.lockAsync(buffer),
                locker.lockAsync(range),
                locker.lockAsync(two),
                locker.lockAsync(buffer, HERE),
                locker.lockAsync(range, HERE),
                locker.lockAsync(two, HERE));
        for (PendingLock each : pending) {
            locks.add(each.get(60, TimeUnit.SECONDS));
        }
        assertEquals(9, locker.statistics().openHandles());
        assertEquals(
                List.of(Tristate.YES, Tristate.YES),
                locker.pageStates(two).stream().map(states -> states.locked(0)).toList());
        locker.sync(two, SyncOption.ASYNC);
        locks.forEach(PageLock::close);
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void handlesShowRangesWithoutOwners() {
        assertEquals(buffer, range.owner().get());
        try (PageLock lock = locker.lock(two)) {
            assertTrue(lock.ranges().stream().noneMatch(each -> each.owner().isPresent()));
            assertTrue(lock.ranges().containsAll(two));
        }
    }

    @Test
    void nullIsRefusedByNameBeforeAnythingIsLocked() {
        Collection<MemoryRange> holed = Arrays.asList(range, null);
        Map<String, List<Executable>> calls = Map.of(
                "buffer",
                List.of(
                        () -> locker.lock((ByteBuffer) null),
                        () -> locker.lockAsync((ByteBuffer) null),
                        () -> locker.lockAsync((ByteBuffer) null, HERE),
                        () -> locker.sync((ByteBuffer) null),
                        () -> locker.pageStates((ByteBuffer) null)),
                "range",
                List.of(
                        () -> locker.lock((MemoryRange) null),
                        () -> locker.lockAsync((MemoryRange) null),
                        () -> locker.lockAsync((MemoryRange) null, HERE),
                        () -> locker.sync((MemoryRange) null),
                        () -> locker.pageStates((MemoryRange) null)),
                "ranges",
                List.of(
                        () -> locker.lock((Collection<MemoryRange>) null),
                        () -> locker.lock(holed),
                        () -> locker.lockAsync(holed),
                        () -> locker.lockAsync(holed, HERE),
                        () -> locker.sync(holed),
                        () -> locker.pageStates(holed)),
                "executor",
                List.of(
                        () -> locker.lockAsync(buffer, (Executor) null),
                        () -> locker.lockAsync(range, (Executor) null),
                        () -> locker.lockAsync(two, (Executor) null)),
                "scope",
                List.of(() -> locker.lockAddressSpace(null), () -> locker.forecastAddressSpace(null)),
                "options",
                List.of(
                        () -> locker.lock(range, (LockOption) null),
                        () -> locker.lock(range, (LockOption[]) null),
                        () -> locker.lockAsync(two, LockOption.ON_FAULT, null),
                        () -> locker.sync(range, (SyncOption) null),
                        () -> locker.lockAddressSpace(io.pagelock.AddressSpaceScope.FUTURE, (LockOption) null)));
        calls.forEach((name, all) -> all.forEach(call -> {
            NullPointerException refused = assertThrows(NullPointerException.class, call);
            assertTrue(refused.getMessage().endsWith(name), name + ": " + refused.getMessage());
        }));
        assertEquals(0, kernel.lockedBytes());
        assertEquals(0, locker.statistics().openHandles());
    }

    @Test
    void theFutureOfALockCancelsItAndLosesNoHandle() throws Exception {
        List<Runnable> tasks = new ArrayList<>();
        PendingLock pending = locker.lockAsync(range, tasks::add);
        assertTrue(pending.toCompletableFuture().cancel(true));
        assertTrue(pending.isCancelled());
        tasks.forEach(Runnable::run);
        assertEquals(0, kernel.lockedBytes());
        PendingLock done = locker.lockAsync(range, HERE);
        assertFalse(done.toCompletableFuture().complete(null));
        assertThrows(
                UnsupportedOperationException.class,
                () -> done.toCompletableFuture().obtrudeValue(null));
        done.get().close();
        assertEquals(0, kernel.lockedBytes());
        assertEquals(page, done.totalBytes());
    }
}
