// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.eq;
import static org.mockito.Mockito.atLeastOnce;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.inOrder;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.pagelock.Capability;
import io.pagelock.spi.Backend;
import java.util.EnumSet;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;

/** In which pieces a large range is locked. */
class StepsTest {
    private static final long MIB = 1L << 20;
    private static final long START = 1L << 40;

    private final Backend backend = mock(Backend.class);
    private final AtomicLong clock = new AtomicLong();

    @BeforeEach
    void describe() {
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

    /** A full lock, and paging in, bring in a MiB in so many milliseconds. */
    private void takes(long millisForMib) {
        doAnswer(call -> call.<Boolean>getArgument(2) ? null : passes(call.getArgument(1), millisForMib))
                .when(backend)
                .lock(anyLong(), anyLong(), anyBoolean());
        when(backend.pageIn(anyLong(), anyLong())).thenAnswer(call -> {
            passes(call.getArgument(1), millisForMib);
            return true;
        });
    }

    private Object passes(long bytes, long millisForMib) {
        clock.addAndGet(bytes * millisForMib * 1_000_000 / MIB);
        return null;
    }

    @Test
    void smallRangeIsOneCall() {
        lock(4 * MIB);
        verify(backend).lock(START, 4 * MIB, false);
        verify(backend, times(1)).lock(anyLong(), anyLong(), anyBoolean());
    }

    @Test
    void largeRangeIsLockedOnFaultFirst() {
        lock(5 * MIB);
        InOrder order = inOrder(backend);
        order.verify(backend).lock(START, 5 * MIB, true);
        order.verify(backend).lock(START, 4 * MIB, false);
        order.verify(backend).lock(START + 4 * MIB, MIB, false);
        verify(backend, never()).lock(START, 5 * MIB, false);
    }

    @Test
    void stepsGrowWhileTheyAreQuickAndEndAtMultiplesOfTheirSize() {
        lock(START - MIB, 512 * MIB);
        InOrder order = inOrder(backend);
        order.verify(backend).lock(START - MIB, MIB, false);
        order.verify(backend).lock(START, 16 * MIB, false);
        order.verify(backend).lock(START + 16 * MIB, 48 * MIB, false);
        order.verify(backend).lock(START + 64 * MIB, 64 * MIB, false);
        order.verify(backend).lock(START + 128 * MIB, 128 * MIB, false);
        order.verify(backend).lock(START + 256 * MIB, 128 * MIB, false);
        order.verify(backend).lock(START + 384 * MIB, 127 * MIB, false);
    }

    @Test
    void aSlowStepIsFollowedByOneOfTheRightSize() {
        takes(4);
        lock(6 * MIB);
        InOrder order = inOrder(backend);
        // 16 ms, of which a step may take 5.
        order.verify(backend).lock(START, 4 * MIB, false);
        order.verify(backend).lock(START + 4 * MIB, MIB, false);
        order.verify(backend).lock(START + 5 * MIB, MIB, false);
    }

    @Test
    void theLastStepEndsWithTheRangeWhereverThatIs() {
        long top = -4096;
        lock(top - 9 * MIB, 9 * MIB);
        verify(backend).lock(top - 9 * MIB, MIB + 4096, false);
        verify(backend).lock(-8 * MIB, 8 * MIB - 4096, false);
    }

    @Test
    void whatIsInMemoryIsNotPagedIn() {
        lock(1024 * MIB);
        verify(backend, never()).pageIn(anyLong(), anyLong());
    }

    @Test
    void theRestIsPagedInOnceStepsAreSlow() {
        takes(1);
        lock(80 * MIB);
        verify(backend).lock(START, 4 * MIB, false);
        verify(backend, never()).pageIn(eq(START), anyLong());
        verify(backend, atLeastOnce()).pageIn(anyLong(), anyLong());
    }

    @Test
    void aShortRestIsNotPagedIn() {
        takes(1);
        lock(64 * MIB);
        verify(backend, never()).pageIn(anyLong(), anyLong());
    }
}
