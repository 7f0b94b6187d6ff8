// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;
import static org.mockito.Mockito.withSettings;

import io.pagelock.MemoryRange;
import io.pagelock.PageStates;
import io.pagelock.Tristate;
import io.pagelock.spi.Host;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Arbitrary bytes, and tables of mappings with bytes changed, as /proc/self/map and xmap. Nothing is thrown, everything ends, and nothing
 * is claimed that the bytes do not hold, by a reading of the test's own.
 */
class ProcMapFuzzTest {
    private static final int INPUTS = Integer.getInteger("pagelock.fuzz", 5000);
    private static final int PAGE = 8192;
    private static final MemoryRange RANGE = MemoryRange.of(0x10000, 16 * PAGE);
    /** Whatever this JVM has: nothing here calls C. */
    private static final Host HOST = new Host("SunOS", "5.11", "amd64", 64);
    // struct prxmap of 64 bits, sys/procfs.h.
    private static final int SIZE = 216;
    private static final int LENGTH = 8;
    private static final int NAME = 16;
    private static final int OFFSET = 80;
    private static final int RESIDENT = 120;
    private static final int LOCKED = 136;
    private static final int SIZE_OF_MAP = 104;

    private byte[] map = {};
    private byte[] xmap = {};

    private SolarisBackend backend() {
        SolarisCalls calls = mock(SolarisCalls.class, withSettings().stubOnly());
        when(calls.getpagesize()).thenReturn(PAGE);
        when(calls.mincore(anyLong(), anyLong(), any())).thenAnswer(call -> {
            byte[] vector = call.getArgument(2);
            Arrays.fill(vector, (byte) 3);
            return call.<Long>getArgument(1) / PAGE == vector.length ? 0 : -1;
        });
        ProcFiles files = new ProcFiles() {
            @Override
            public Optional<byte[]> read(String name) {
                return Optional.of(name.equals("map") ? map : xmap);
            }

            @Override
            public long objectSize(String name) {
                assertEquals(-1, name.indexOf('/'), name);
                return -1;
            }
        };
        return new SolarisBackend(calls, null, files, Optional::empty, buffer -> 0, HOST);
    }

    @Test
    void nothingIsThrownAndNothingIsClaimedThatIsNotThere() {
        SolarisBackend backend = backend();
        int known = 0;
        for (int i = 0; i < INPUTS; i++) {
            Random random = new Random(i);
            try {
                xmap = input(random);
                map = firstOfEach(xmap);
                PageStates states = backend.pageStates(RANGE);
                known += states.countLocked(Tristate.UNKNOWN) < states.pageCount() ? 1 : 0;
                Optional<List<MemoryRange>> mapped = backend.mapped(RANGE);
                for (int page = 0; page < states.pageCount(); page++) {
                    check(RANGE.address() + (long) page * PAGE, states.locked(page), mapped);
                }
                assertTrue(backend.limits().lockedBytes().orElse(0) >= 0);
                assertTrue(backend.residentUnlockedBytes() >= 0);
                assertTrue(backend.addressSpaceBytes().orElse(0) >= 0);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("input " + i, e);
            }
        }
        assertTrue(known > INPUTS / 10 && known < INPUTS, known + " of " + INPUTS + " inputs were tables");
    }

    /** Compares with the bytes. */
    private void check(long page, Tristate locked, Optional<List<MemoryRange>> mapped) {
        ByteBuffer entries = ByteBuffer.wrap(xmap).order(ByteOrder.nativeOrder());
        boolean isCovered = false;
        boolean mayBeLocked = false;
        boolean mayBeUnlocked = false;
        for (int at = 0; at + SIZE <= xmap.length; at += SIZE) {
            long start = entries.getLong(at);
            long end = start + entries.getLong(at + LENGTH);
            if (Long.compareUnsigned(start, page) <= 0 && Long.compareUnsigned(page, end) < 0) {
                isCovered = true;
                mayBeLocked |= entries.getLong(at + LOCKED) != 0;
                mayBeUnlocked |= entries.getLong(at + LOCKED) != (end - start) / PAGE;
            }
        }
        assertTrue(locked != Tristate.YES || mayBeLocked, () -> "locked at " + Long.toHexString(page));
        assertTrue(locked != Tristate.NO || !isCovered || mayBeUnlocked);
        if (mapped.isPresent()) {
            boolean isListed = mapped.get().stream().anyMatch(each -> each.address() <= page && page < each.end());
            assertEquals(isCovered, isListed, () -> "mapped at " + Long.toHexString(page));
        }
    }

    private static byte[] input(Random random) {
        if (random.nextInt(8) == 0) {
            byte[] bytes = new byte[random.nextInt(4) == 0 ? random.nextInt(3 * SIZE) : random.nextInt(4) * SIZE];
            random.nextBytes(bytes);
            return bytes;
        }
        int count = 1 + random.nextInt(4);
        ByteBuffer entries = ByteBuffer.allocate(count * SIZE).order(ByteOrder.nativeOrder());
        long from = 0x8000;
        for (int i = 0; i < count; i++) {
            int at = i * SIZE;
            long pages = 1 + random.nextInt(4);
            from += (long) random.nextInt(3) * PAGE;
            entries.putLong(at, from).putLong(at + LENGTH, pages * PAGE).putLong(at + OFFSET, random.nextInt(3) * PAGE);
            entries.putLong(at + RESIDENT, pages).putLong(at + LOCKED, random.nextInt(3) * pages / 2);
            entries.put(at + NAME, (byte) "a/\n".charAt(random.nextInt(3)));
            from += pages * PAGE;
        }
        byte[] bytes = entries.array();
        for (int i = random.nextInt(4); i > 0; i--) {
            int where = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[where] = (byte) random.nextInt();
                case 1 ->
                    bytes[Math.min(where / SIZE * SIZE + random.nextInt(2 * LENGTH), bytes.length - 1)] =
                            (byte) random.nextInt();
                case 2 -> Arrays.fill(bytes, where, Math.min(bytes.length, where + 8), (byte) -random.nextInt(2));
                default -> bytes = Arrays.copyOf(bytes, random.nextInt(5) == 0 ? where : bytes.length);
            }
            if (bytes.length == 0) {
                return bytes;
            }
        }
        return bytes;
    }

    /** The same mappings as struct prmap. */
    private static byte[] firstOfEach(byte[] extended) {
        int count = extended.length / SIZE;
        byte[] result = new byte[count * SIZE_OF_MAP + (extended.length % SIZE == 0 ? 0 : 1)];
        for (int i = 0; i < count; i++) {
            System.arraycopy(extended, i * SIZE, result, i * SIZE_OF_MAP, SIZE_OF_MAP);
        }
        return result;
    }
}
