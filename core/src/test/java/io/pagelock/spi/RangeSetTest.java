// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RangeSetTest {
    private static final long TOP = -1;

    private static RangeSet set(long... bounds) {
        RangeSet.Builder builder = RangeSet.builder();
        for (int i = 0; i < bounds.length; i += 2) {
            builder.add(bounds[i], bounds[i + 1]);
        }
        return builder.build();
    }

    private static MemoryRange range(long start, long end) {
        return MemoryRange.of(start, end - start);
    }

    @Test
    void sortsAndJoinsWhatTouchesOrOverlaps() {
        assertEquals(
                Arrays.asList(range(1, 8), range(10, 12)),
                set(10, 12, 3, 5, 1, 4, 5, 8, 2, 3).asList());
    }

    @Test
    void comparesAddressesUnsigned() {
        RangeSet set = set(0x8000000000000000L, TOP, 1, 2);
        assertEquals(1, set.start(0));
        assertEquals(TOP, set.end(1));
        assertTrue(set.contains(range(0x9000000000000000L, TOP)));
        assertFalse(set.contains(range(2, 3)));
    }

    @Test
    void refusesWhatIsNoRange() {
        assertThrows(IllegalArgumentException.class, () -> set(0, 5));
        assertThrows(IllegalArgumentException.class, () -> set(5, 5));
        assertThrows(IllegalArgumentException.class, () -> set(TOP, 5));
    }

    @Test
    void firstGapIsTheLowestMissingPart() {
        RangeSet set = set(10, 20, 30, 40);
        assertEquals(Optional.empty(), set.firstGap(range(12, 20)));
        assertEquals(Optional.of(range(20, 30)), set.firstGap(range(12, 35)));
        assertEquals(Optional.of(range(20, 25)), set.firstGap(range(12, 25)));
        assertEquals(Optional.of(range(5, 10)), set.firstGap(range(5, 35)));
        assertEquals(Optional.of(range(40, 50)), set.firstGap(range(30, 50)));
        assertEquals(Optional.of(range(1, 9)), RangeSet.empty().firstGap(range(1, 9)));
    }

    @Test
    void tooLongForOneRangeAppearsInPiecesThatTouch() {
        RangeSet all = set(1, TOP);
        List<MemoryRange> pieces = all.asList();
        assertEquals(1, pieces.get(0).address());
        assertEquals(TOP, pieces.get(pieces.size() - 1).end());
        for (int i = 1; i < pieces.size(); i++) {
            assertEquals(pieces.get(i - 1).end(), pieces.get(i).address());
        }
        assertEquals(Long.MAX_VALUE, all.bytes());
        assertEquals(
                Long.MAX_VALUE,
                set(1, 0x6000000000000000L, 0x7000000000000000L, 0xd000000000000000L)
                        .bytes());
        assertEquals(12, set(1, 8, 10, 15).bytes());
    }

    @Test
    void builderGoesOnAfterBuild() {
        RangeSet.Builder builder = RangeSet.builder();
        assertSame(RangeSet.empty(), builder.build());
        RangeSet first = builder.add(5, 6).build();
        RangeSet second = builder.add(1, 2).build();
        assertEquals(set(5, 6), first);
        assertEquals(set(1, 2, 5, 6), second);
        assertEquals(set(1, 2, 5, 6).hashCode(), second.hashCode());
        assertEquals(
                Collections.singletonList(range(5, 6)), RangeSet.of(range(5, 6)).asList());
    }

    /** Against a bit for each address, in the middle of the address space so that the sign changes. */
    @Test
    void agreesWithSetsOfBits() {
        Random random = new Random(7);
        for (int round = 0; round < 20_000; round++) {
            BitSet a = bits(random);
            BitSet b = bits(random);
            assertOperation(a, b, BitSet::or, of(a, random).union(of(b, random)));
            assertOperation(a, b, BitSet::and, of(a, random).intersect(of(b, random)));
            assertOperation(a, b, BitSet::andNot, of(a, random).subtract(of(b, random)));
            int from = random.nextInt(30);
            int to = from + 1 + random.nextInt(30);
            int gap = a.nextClearBit(from);
            int filled = a.nextSetBit(gap);
            assertEquals(
                    gap >= to
                            ? Optional.empty()
                            : Optional.of(range(BASE + gap, BASE + (filled < 0 ? to : Math.min(filled, to)))),
                    of(a, random).firstGap(range(BASE + from, BASE + to)));
        }
    }

    private static final long BASE = Long.MAX_VALUE - 20;

    private interface Operation {
        void apply(BitSet target, BitSet other);
    }

    private static void assertOperation(BitSet a, BitSet b, Operation operation, RangeSet actual) {
        BitSet expected = (BitSet) a.clone();
        operation.apply(expected, b);
        assertEquals(of(expected, null), actual, () -> a + " and " + b);
        assertEquals(expected.cardinality(), actual.bytes());
    }

    private static BitSet bits(Random random) {
        BitSet bits = new BitSet();
        for (int i = random.nextInt(5); i > 0; i--) {
            int from = random.nextInt(40);
            bits.set(from, from + 1 + random.nextInt(12));
        }
        return bits;
    }

    /** In random order, and cut at random, if there is something random. */
    private static RangeSet of(BitSet bits, Random random) {
        List<MemoryRange> ranges = new ArrayList<>();
        for (int from = bits.nextSetBit(0); from >= 0; ) {
            int end = bits.nextClearBit(from);
            int to = random == null ? end : from + 1 + random.nextInt(end - from);
            ranges.add(range(BASE + from, BASE + to));
            from = bits.nextSetBit(to);
        }
        if (random != null) {
            Collections.shuffle(ranges, random);
        }
        RangeSet.Builder builder = RangeSet.builder();
        ranges.forEach(builder::add);
        return builder.build();
    }
}
