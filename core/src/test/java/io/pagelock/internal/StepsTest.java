// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.anySet;
import static org.mockito.ArgumentMatchers.eq;
import static org.mockito.ArgumentMatchers.longThat;
import static org.mockito.Mockito.atLeastOnce;
import static org.mockito.Mockito.atMost;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.inOrder;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;
import static org.mockito.Mockito.withSettings;

import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.Backend;
import io.pagelock.spi.FileReading;
import io.pagelock.spi.LimitChecking;
import io.pagelock.spi.LockingAgain;
import io.pagelock.spi.PagingIn;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;

/** In which pieces a large range is locked. */
class StepsTest {
    private static final long MIB = 1L << 20;
    private static final long START = 1L << 40;

    private interface PagingBackend extends Backend, PagingIn {}

    private final PagingBackend backend = mock(PagingBackend.class);
    private final AtomicLong clock = new AtomicLong();

    @BeforeEach
    void describe() {
        when(backend.ability(any())).thenCallRealMethod();
        when(backend.pageSize()).thenReturn(4096L);
        when(backend.capabilities()).thenReturn(EnumSet.of(Capability.LOCK_ON_FAULT, Capability.PAGE_IN));
        when(backend.pageIn(anyLong(), anyLong())).thenReturn(true);
    }

    private void lock(long length) {
        lock(START, length);
    }

    private void lock(long start, long length) {
        Steps steps = new Steps(backend) {
            @Override
            long now() {
                return clock.get();
            }
        };
        steps.lock(start, length, true, Progress.UNWATCHED);
    }

    /** A full lock, and paging in, bring in a MiB in so many nanoseconds. */
    private void nanosForMib(long nanos) {
        doAnswer(call -> call.<Set<?>>getArgument(2).contains(LockOption.ON_FAULT)
                        ? null
                        : passes(call.getArgument(1), nanos))
                .when(backend)
                .lock(anyLong(), anyLong(), anySet());
        when(backend.pageIn(anyLong(), anyLong())).thenAnswer(call -> {
            passes(call.getArgument(1), nanos);
            return true;
        });
    }

    private Object passes(long bytes, long nanosForMib) {
        clock.addAndGet(bytes * nanosForMib / MIB);
        return null;
    }

    @Test
    void smallRangeIsOneCall() {
        lock(4 * MIB);
        verify(backend).lock(START, 4 * MIB, Set.of());
        verify(backend, times(1)).lock(anyLong(), anyLong(), anySet());
    }

    @Test
    void largeRangeIsLockedOnFaultFirst() {
        lock(5 * MIB);
        InOrder order = inOrder(backend);
        order.verify(backend).lock(START, 5 * MIB, Set.of(LockOption.ON_FAULT));
        order.verify(backend).lock(START, 4 * MIB, Set.of());
        order.verify(backend).lock(START + 4 * MIB, MIB, Set.of());
        verify(backend, never()).lock(START, 5 * MIB, Set.of());
    }

    /** The lock on fault has shown that the range can be locked; what was not locked before is asked about step by step. */
    @Test
    void stepsWithinALockOnFaultAreNotAskedAboutAgain() {
        Backend proving = mock(Backend.class, withSettings().extraInterfaces(LockingAgain.class));
        when(proving.ability(any())).thenCallRealMethod();
        when(proving.pageSize()).thenReturn(4096L);
        when(proving.capabilities()).thenReturn(EnumSet.of(Capability.LOCK_ON_FAULT));
        Steps steps = new Steps(proving);
        steps.lock(START, 5 * MIB, true, Progress.UNWATCHED);
        InOrder order = inOrder(proving);
        order.verify(proving).lock(START, 5 * MIB, Set.of(LockOption.ON_FAULT));
        order.verify((LockingAgain) proving).lockAgain(START, 4 * MIB);
        order.verify((LockingAgain) proving).lockAgain(START + 4 * MIB, MIB);
        steps.lock(START, 5 * MIB, false, Progress.UNWATCHED);
        order.verify(proving).lock(START, 4 * MIB, Set.of());
        order.verify(proving).lock(START + 4 * MIB, MIB, Set.of());
        verify((LockingAgain) proving, times(2)).lockAgain(anyLong(), anyLong());
    }

    @Test
    void stepsGrowWhileTheyAreQuickAndEndAtMultiplesOfTheirSize() {
        nanosForMib(1_000);
        lock(START - MIB, 512 * MIB);
        InOrder order = inOrder(backend);
        order.verify(backend).lock(START - MIB, MIB, Set.of());
        order.verify(backend).lock(START, 16 * MIB, Set.of());
        order.verify(backend).lock(START + 16 * MIB, 48 * MIB, Set.of());
        order.verify(backend).lock(START + 64 * MIB, 64 * MIB, Set.of());
        order.verify(backend).lock(START + 128 * MIB, 128 * MIB, Set.of());
        order.verify(backend).lock(START + 256 * MIB, 128 * MIB, Set.of());
        order.verify(backend).lock(START + 384 * MIB, 127 * MIB, Set.of());
    }

    @Test
    void aTebibyteThatTheSystemDoesNotLookAtTakesFewSteps() {
        lock(1L << 40);
        // On fault; then 4 MiB, and four times as much each time.
        verify(backend, times(1 + 10)).lock(anyLong(), anyLong(), anySet());
    }

    @Test
    void theLargestRangeOfAllIsLocked() {
        lock(4096, Long.MAX_VALUE - 8191);
        verify(backend, atMost(100)).lock(anyLong(), anyLong(), anySet());
        verify(backend, atLeastOnce()).lock(anyLong(), longThat(size -> size >= 1L << 60), eq(Set.of()));
    }

    @Test
    void aSlowStepIsFollowedByOneOfTheRightSize() {
        nanosForMib(2_500_000);
        lock(6 * MIB);
        InOrder order = inOrder(backend);
        // 10 ms, of which a step may take 4.
        order.verify(backend).lock(START, 4 * MIB, Set.of());
        order.verify(backend).lock(START + 4 * MIB, MIB, Set.of());
        order.verify(backend).lock(START + 5 * MIB, MIB, Set.of());
    }

    @Test
    void theLastStepEndsWithTheRangeWhereverThatIs() {
        long top = -4096;
        lock(top - 9 * MIB, 9 * MIB);
        verify(backend).lock(top - 9 * MIB, MIB + 4096, Set.of());
        verify(backend).lock(-8 * MIB, 8 * MIB - 4096, Set.of());
    }

    @Test
    void whatIsInMemoryIsNotPagedIn() {
        nanosForMib(50_000);
        lock(1024 * MIB);
        verify(backend, never()).pageIn(anyLong(), anyLong());
    }

    @Test
    void theRestIsPagedInOnceStepsAreSlow() {
        nanosForMib(1_000_000);
        lock(80 * MIB);
        verify(backend).lock(START, 4 * MIB, Set.of());
        verify(backend, never()).pageIn(eq(START), anyLong());
        verify(backend, atLeastOnce()).pageIn(anyLong(), anyLong());
    }

    @Test
    void theRestIsPagedInWholeAndBySeveralThreads() {
        assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "one processor, one thread");
        nanosForMib(1_000_000);
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        AtomicLong pagedIn = new AtomicLong();
        CountDownLatch two = new CountDownLatch(2);
        when(backend.pageIn(anyLong(), anyLong())).thenAnswer(call -> {
            pagedIn.addAndGet(call.getArgument(1));
            if (threads.add(Thread.currentThread())) {
                two.countDown();
            }
            assertTrue(two.await(60, TimeUnit.SECONDS));
            return true;
        });
        lock(80 * MIB);
        assertEquals(72 * MIB, pagedIn.get());
        assertTrue(threads.size() > 1);
        InOrder order = inOrder(backend);
        order.verify(backend, atLeastOnce()).pageIn(anyLong(), anyLong());
        order.verify(backend).lock(eq(START + 8 * MIB), anyLong(), eq(Set.of()));
    }

    @Test
    void pagingInStopsWhenItFails() {
        nanosForMib(1_000_000);
        when(backend.pageIn(anyLong(), anyLong())).thenReturn(false);
        lock(512 * MIB);
        // Once for each thread at most.
        verify(backend, atMost(4)).pageIn(anyLong(), anyLong());
    }

    @Test
    void aCancelledLockStopsAtTheNextStep() {
        nanosForMib(1_000_000);
        AtomicInteger asked = new AtomicInteger();
        Progress progress = new Progress(() -> asked.incrementAndGet() > 2);
        assertThrows(PageLockException.class, () -> new Steps(backend).lock(START, 64 * MIB, false, progress));
        verify(backend, times(2)).lock(anyLong(), anyLong(), anySet());
        assertEquals(progress.bytes(), clock.get() / 1_000_000 * MIB);
    }

    @Test
    void aCancelledLockStopsPagingIn() {
        nanosForMib(1_000_000);
        AtomicBoolean cancelled = new AtomicBoolean();
        when(backend.pageIn(anyLong(), anyLong())).thenAnswer(call -> {
            cancelled.set(true);
            return true;
        });
        Progress progress = new Progress(cancelled::get);
        Steps steps = new Steps(backend) {
            @Override
            long now() {
                return clock.get();
            }
        };
        assertThrows(PageLockException.class, () -> steps.lock(START, 512 * MIB, true, progress));
        verify(backend, atMost(4)).pageIn(anyLong(), anyLong());
    }

    @Test
    void progressGrowsWithTheSteps() {
        List<Long> seen = new ArrayList<>();
        Progress progress = new Progress(() -> false);
        doAnswer(call -> seen.add(progress.bytes())).when(backend).lock(anyLong(), anyLong(), eq(Set.of()));
        new Steps(backend).lock(START, 16 * MIB, false, progress);
        assertEquals(List.of(0L, 4 * MIB), seen.subList(0, 2));
        assertEquals(16 * MIB, progress.bytes());
    }

    @Test
    void aShortRestIsNotPagedIn() {
        nanosForMib(1_000_000);
        lock(64 * MIB);
        verify(backend, never()).pageIn(anyLong(), anyLong());
    }

    @Test
    void whatIsRefusedAheadIsNotLockedAtAll() {
        Backend checking = mock(Backend.class, withSettings().extraInterfaces(LimitChecking.class));
        when(checking.ability(any())).thenCallRealMethod();
        when(checking.pageSize()).thenReturn(4096L);
        doThrow(PageLockException.because(Reason.NO_LOCKABLE_MEMORY).build())
                .when((LimitChecking) checking)
                .checkLimits(START, 16 * MIB);
        Steps steps = new Steps(checking);
        assertThrows(PageLockException.class, () -> steps.lock(START, 16 * MIB, true, Progress.UNWATCHED));
        verify(checking, never()).lock(anyLong(), anyLong(), anySet());
    }

    @Test
    void withoutLockOnFaultARangeBeyondTheLimitIsOneCall() {
        when(backend.capabilities()).thenReturn(EnumSet.noneOf(Capability.class));
        LockLimit limit = LockLimit.builder("limit", LockLimit.Scope.PROCESS)
                .soft(LimitValue.ofBytes(8 * MIB))
                .used(OptionalLong.of(0))
                .liftedByPrivilege(true)
                .build();
        when(backend.limits())
                .thenReturn(LockLimits.builder()
                        .limit(limit)
                        .lockedBytes(OptionalLong.of(0))
                        .privilege("right", Tristate.NO)
                        .permitted(Tristate.YES)
                        .build());
        lock(16 * MIB);
        verify(backend).lock(START, 16 * MIB, Set.of());
        verify(backend, times(1)).lock(anyLong(), anyLong(), anySet());
        lock(8 * MIB);
        verify(backend).lock(START, 4 * MIB, Set.of());
    }

    @Test
    void onlyWhatWasReadInIsLockedAndACancelledLockStopsReading() {
        Backend reading = mock(Backend.class, withSettings().extraInterfaces(FileReading.class));
        when(reading.ability(any())).thenCallRealMethod();
        when(reading.pageSize()).thenReturn(4096L);
        when(reading.capabilities()).thenReturn(EnumSet.of(Capability.LOCK_ON_FAULT));
        when(((FileReading) reading).readIn(anyLong(), anyLong())).thenAnswer(call -> {
            clock.addAndGet(60_000_000);
            return Math.min(MIB / 4, call.getArgument(1));
        });
        Progress progress = new Progress(() -> clock.get() > 400_000_000);
        Steps steps = new Steps(reading) {
            @Override
            long now() {
                return clock.get();
            }
        };
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> steps.lock(START, 64 * MIB, true, progress));
        assertEquals(Reason.CANCELLED, thrown.reason());
        verify(reading).lock(START, MIB / 2, Set.of());
        verify(reading).lock(START + MIB / 2, MIB / 4, Set.of());
    }

    private void unlock(long length) {
        new Steps(backend) {
            @Override
            long now() {
                return clock.get();
            }
        }.unlock(START, length);
    }

    /** Unlocking takes so many nanoseconds a MiB. */
    private void nanosToUnlockMib(long nanos) {
        doAnswer(call -> passes(call.getArgument(1), nanos)).when(backend).unlock(anyLong(), anyLong());
    }

    @Test
    void aRangeThatIsQuicklyUnlockedIsOneCall() {
        unlock(64 * MIB);
        verify(backend).unlock(START, 64 * MIB);
        verify(backend, times(1)).unlock(anyLong(), anyLong());
    }

    @Test
    void aLargeRangeIsUnlockedInStepsOfTheRightTime() {
        // In 4 ms, 33 MiB.
        nanosToUnlockMib(120_000);
        unlock(130 * MIB);
        InOrder order = inOrder(backend);
        order.verify(backend).unlock(START, 64 * MIB);
        order.verify(backend).unlock(START + 64 * MIB, 32 * MIB);
        order.verify(backend).unlock(START + 96 * MIB, 32 * MIB);
        order.verify(backend).unlock(START + 128 * MIB, 2 * MIB);
        order.verifyNoMoreInteractions();
    }

    @Test
    void aTebibyteWithoutPagesIsUnlockedByTwoCalls() {
        unlock(1L << 40);
        verify(backend).unlock(START, 64 * MIB);
        verify(backend).unlock(START + 64 * MIB, (1L << 40) - 64 * MIB);
    }

    @Test
    void unlockingAtTheLimitOfMappingsIsOneCall() {
        doThrow(PageLockException.because(Reason.TOO_MANY_MAPPINGS).build())
                .when(backend)
                .unlock(START, 64 * MIB);
        unlock(128 * MIB);
        verify(backend).unlock(START, 128 * MIB);
    }
}
