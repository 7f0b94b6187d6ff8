// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
import io.pagelock.spi.MappingBudget;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** L22: the library leaves the process a reserve of mappings. */
class MappingReserveTest {
    private static final long PAGE = 4096;
    private static final long BASE = 1L << 40;
    private static final long MOST = 10_000;
    private static final long RESERVED = 2048;

    /** Pages in one mapping of their own, which is split wherever locked and unlocked pages meet. */
    private static final class Splitting implements Backend, MappingBudget {
        private final Set<Long> locked = new TreeSet<>();
        private long others = 100;
        private long mappings = 1;
        private long highest;
        private int counted;
        private boolean refusesToUnlock;

        private void set(long address, long length, boolean value) {
            for (long page = address; page < address + length; page += PAGE) {
                if (locked.contains(page) != value) {
                    long sides = (locked.contains(page - PAGE) ? 1 : 0) + (locked.contains(page + PAGE) ? 1 : 0);
                    mappings += value ? 2 - 2 * sides : 2 * sides - 2;
                    if (value) {
                        locked.add(page);
                    } else {
                        locked.remove(page);
                    }
                }
            }
            highest = Math.max(highest, mappings + others);
        }

        @Override
        public OptionalLong mostMappings() {
            return OptionalLong.of(MOST);
        }

        @Override
        public OptionalLong mappings() {
            counted++;
            return OptionalLong.of(mappings + others);
        }

        @Override
        public void lock(long address, long length, Set<LockOption> options) {
            set(address, length, true);
        }

        @Override
        public void unlock(long address, long length) {
            if (refusesToUnlock) {
                throw PageLockException.because(Reason.UNKNOWN).build();
            }
            set(address, length, false);
        }

        @Override
        public BackendInfo info() {
            return new BackendInfo("test", "test", "test", Collections.emptyList());
        }

        @Override
        public long pageSize() {
            return PAGE;
        }

        @Override
        public int addressBits() {
            return 64;
        }

        @Override
        public Set<Capability> capabilities() {
            return Collections.emptySet();
        }

        @Override
        public LockLimits limits() {
            return LockLimits.builder()
                    .limit(LockLimit.builder("none", LockLimit.Scope.PROCESS)
                            .soft(LimitValue.none())
                            .build())
                    .build();
        }

        @Override
        public List<String> remedies(Reason reason, long bytes) {
            return Collections.emptyList();
        }

        @Override
        public long address(ByteBuffer buffer) {
            throw new UnsupportedOperationException();
        }
    }

    private final Splitting system = new Splitting();
    private final RangeLocks ranges = new RangeLocks(system);

    private Hold lock(long first, long count) {
        Hold hold = new Hold(null, null, BASE + first * PAGE, BASE + (first + count) * PAGE, false);
        ranges.acquire(hold, Progress.UNWATCHED);
        return hold;
    }

    @Test
    void L22_aRefusedUnlockFreesNoMapping() {
        system.refusesToUnlock = true;
        PageLockException refused = assertThrows(PageLockException.class, () -> {
            for (int page = 0; page < 2 * MOST; page += 2) {
                Hold hold = lock(page, 1);
                assertThrows(PageLockException.class, () -> ranges.release(hold));
            }
        });
        assertEquals(Reason.TOO_MANY_MAPPINGS, refused.reason());
        assertTrue(system.highest <= MOST - RESERVED, system.highest + " mappings");
    }

    @Test
    void L22_narrowLocksStopAtTheReserve() {
        List<Hold> holds = new ArrayList<>();
        PageLockException refused = assertThrows(PageLockException.class, () -> {
            for (int page = 0; page < 2 * MOST; page += 2) {
                holds.add(lock(page, 1));
            }
        });
        assertEquals(Reason.TOO_MANY_MAPPINGS, refused.reason());
        assertTrue(system.highest <= MOST - RESERVED, system.highest + " mappings");
        assertTrue(system.highest > MOST - RESERVED - 64, "the room is used: " + system.highest);
        assertTrue(system.counted < 200, system.counted + " counts of the mappings");
        // What joins locked pages needs none.
        lock(1, 1);
        ranges.release(holds.get(holds.size() - 1));
        lock(2 * MOST, 1);
    }

    @Test
    void L22_aWideCloseOverNarrowLocksLeavesWhatItCannotSplit() {
        Hold wide = lock(0, 2 * MOST);
        List<Hold> holds = new ArrayList<>();
        for (int page = 0; page < 2 * MOST; page += 2) {
            holds.add(lock(page, 1));
        }
        ranges.release(wide);
        assertTrue(system.highest <= MOST - RESERVED, system.highest + " mappings");
        assertTrue(ranges.leftoverBytes() > 0);
        for (Hold hold : holds) {
            ranges.release(hold);
        }
        for (int round = 0; round < 10_000 && ranges.leftoverBytes() > 0; round++) {
            ranges.lookAgain();
        }
        assertEquals(0, ranges.leftoverBytes());
        assertEquals(Collections.emptySet(), system.locked);
    }

    @Test
    void L22_closingEverySecondOfManyNeighboursLeavesWhatItCannotSplit() {
        List<Hold> holds = new ArrayList<>();
        for (int page = 0; page < 2 * MOST; page++) {
            holds.add(lock(page, 1));
        }
        for (int page = 0; page < 2 * MOST; page += 2) {
            ranges.release(holds.get(page));
        }
        assertTrue(system.highest <= MOST - RESERVED, system.highest + " mappings");
        for (int page = 1; page < 2 * MOST; page += 2) {
            ranges.release(holds.get(page));
        }
        for (int round = 0; round < 10_000 && ranges.leftoverBytes() > 0; round++) {
            ranges.lookAgain();
        }
        assertEquals(Collections.emptySet(), system.locked);
    }
}
