// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.inOrder;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;

/** The calls that the backend makes, with a kernel that does as it is told. Pages of 8 KiB, as on SPARC. */
class SolarisCallTest {
    private static final long PAGE = 8192;
    private static final long ADDRESS = 0xffffffff70000000L;

    private final SolarisCalls calls = mock(SolarisCalls.class);
    private SolarisBackend backend;

    @BeforeEach
    void open() {
        when(calls.getpagesize()).thenReturn((int) PAGE);
        when(calls.mincore(anyLong(), anyLong(), any())).thenAnswer(call -> {
            java.util.Arrays.fill(call.<byte[]>getArgument(2), (byte) 1);
            return 0;
        });
        backend = over(null);
    }

    private SolarisBackend over(SolarisCalls.Ucb ucb) {
        ProcFiles nothing = new ProcFiles() {
            @Override
            public Optional<byte[]> read(String name) {
                return Optional.empty();
            }

            @Override
            public long objectSize(String name) {
                return -1;
            }
        };
        return new SolarisBackend(calls, ucb, nothing, Optional::empty, buffer -> 0, Solaris.HOST);
    }

    @Test
    void lockAsksForEveryPageWhateverItsAttributes() {
        backend.lock(ADDRESS, 3 * PAGE, Set.of());
        verify(calls).memcntl(ADDRESS, 3 * PAGE, 2, 0, 0, 0);
        verify(calls, never()).errno();
    }

    @Test
    void unlockIsTheOppositeCommand() {
        backend.unlock(ADDRESS, PAGE);
        verify(calls).memcntl(ADDRESS, PAGE, 3, 0, 0, 0);
    }

    @Test
    void theAddressSpaceIsAddressNullAndLengthNull() {
        backend.lockAll(AddressSpaceScope.CURRENT, Set.of());
        backend.lockAll(AddressSpaceScope.FUTURE, Set.of());
        backend.lockAll(AddressSpaceScope.CURRENT_AND_FUTURE, Set.of());
        backend.unlockAll(List.of(MemoryRange.of(ADDRESS, PAGE)));
        InOrder order = inOrder(calls);
        order.verify(calls).memcntl(0, 0, 5, 1, 0, 0);
        order.verify(calls).memcntl(0, 0, 5, 2, 0, 0);
        order.verify(calls).memcntl(0, 0, 5, 3, 0, 0);
        order.verify(calls).memcntl(0, 0, 6, 0, 0, 0);
    }

    @Test
    void syncHasTheFlagsOfThisSystem() {
        backend.sync(ADDRESS, PAGE, Set.of());
        backend.sync(ADDRESS, PAGE, EnumSet.of(SyncOption.ASYNC, SyncOption.INVALIDATE));
        InOrder order = inOrder(calls);
        order.verify(calls).memcntl(ADDRESS, PAGE, 1, 4, 0, 0);
        order.verify(calls).memcntl(ADDRESS, PAGE, 1, 3, 0, 0);
    }

    @Test
    void theResultIsLookedAtFirstAndErrnoAtOnce() {
        when(calls.memcntl(anyLong(), anyLong(), anyInt(), anyLong(), anyInt(), anyInt()))
                .thenReturn(-1);
        when(calls.errno()).thenReturn(5);
        assertEquals(
                Reason.IO_ERROR,
                assertThrows(PageLockException.class, () -> backend.lock(ADDRESS, PAGE, Set.of()))
                        .reason());
        InOrder order = inOrder(calls);
        order.verify(calls).memcntl(ADDRESS, PAGE, 2, 0, 0, 0);
        order.verify(calls).errno();
        verify(calls, never()).mincore(anyLong(), anyLong(), any());
    }

    @Test
    void whatCannotBeReadIsUnknownAndNotDeclared() {
        assertFalse(backend.capabilities().contains(Capability.LOCKED_PAGES));
        assertFalse(backend.capabilities().contains(Capability.LOCKED_BYTES));
        assertEquals(Tristate.UNKNOWN, backend.limits().privileged());
        assertEquals(LimitValue.unknown(), backend.limits().all().get(0).soft());
        assertEquals(Optional.empty(), backend.mapped(MemoryRange.of(ADDRESS, PAGE)));
        String notes = backend.info().notes().toString();
        for (String missing : List.of("xmap", "/proc/self/map ", "priv_ineffect", "getrctl")) {
            assertEquals(true, notes.contains(missing), notes);
        }
    }

    @Test
    void mctlGetsTheFlagsAsAnInt() {
        SolarisCalls.Ucb ucb = mock(SolarisCalls.Ucb.class);
        over(ucb).sync(ADDRESS, PAGE, Set.of());
        verify(ucb).mctl(ADDRESS, PAGE, 1, 4);
    }
}
