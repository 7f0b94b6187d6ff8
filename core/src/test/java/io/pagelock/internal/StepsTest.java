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
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;

/** In which pieces a large range is locked. */
class StepsTest {
    private static final long MIB = 1L << 20;
    private static final long START = 1L << 40;

    private final Backend backend = mock(Backend.class);

    @BeforeEach
    void describe() {
        when(backend.pageSize()).thenReturn(4096L);
        when(backend.capabilities()).thenReturn(EnumSet.of(Capability.LOCK_ON_FAULT, Capability.PAGE_IN));
        when(backend.pageIn(anyLong(), anyLong())).thenReturn(true);
    }

    private void lock(long length) {
        new Steps(backend).lock(START, length, true, Progress.UNWATCHED);
    }

    /** A full lock brings in a MiB in so many milliseconds. */
    private void takes(long millisForMib) {
        doAnswer(call -> {
                    if (!call.<Boolean>getArgument(2)) {
                        LockSupport.parkNanos(call.<Long>getArgument(1) / MIB * millisForMib * 1_000_000);
                    }
                    return null;
                })
                .when(backend)
                .lock(anyLong(), anyLong(), anyBoolean());
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
        order.verify(backend).lock(START, MIB, false);
        verify(backend, never()).lock(START, 5 * MIB, false);
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
        verify(backend).lock(START, MIB, false);
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
