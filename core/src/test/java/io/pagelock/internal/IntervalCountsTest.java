// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.lists;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IntervalCountsTest {
    /** Straddles the sign bit, so that signed comparison anywhere shows. */
    private static final long BASE = Long.MIN_VALUE - 8;

    @Test
    void agreesWithOneCounterPerAddress() {
        qt().withExamples(3_000)
                .forAll(lists().of(integers().between(0, 1 << 20)).ofSizeBetween(1, 40))
                .check(script -> agrees(script, 16, 16, 4));
    }

    /** Small nodes and short ranges, so that the tree is several levels deep, and becomes flat again. */
    @ParameterizedTest
    @ValueSource(ints = {4, 8, 16})
    void aDeepTreeAgreesWithOneCounterPerAddress(int capacity) {
        qt().withExamples(300)
                .forAll(lists().of(integers().between(0, 1 << 26)).ofSizeBetween(100, 400))
                .check(script -> agrees(script, 512, 3, capacity));
    }

    /** Replays a list of numbers as operations on the tree and on plain arrays. */
    private static boolean agrees(List<Integer> script, int size, int longest, int capacity) {
        IntervalCounts counts = new IntervalCounts(at -> false, capacity);
        int[] full = new int[size];
        int[] onFault = new int[size];
        List<int[]> holders = new ArrayList<>();
        int step = 0;
        for (int seed : script) {
            SplittableRandom random = new SplittableRandom(seed);
            int start = random.nextInt(size);
            int end = start + 1 + random.nextInt(Math.min(longest, size - start));
            boolean isOnFault = random.nextBoolean();
            // More is added at first, and more taken away later.
            int adding = ++step < script.size() / 2 ? 3 : 1;
            if (random.nextInt(4) < adding || holders.isEmpty()) {
                add(counts, BASE + start, BASE + end, isOnFault);
                count(isOnFault ? onFault : full, start, end, 1);
                holders.add(new int[] {start, end, isOnFault ? 1 : 0});
            } else {
                int[] holder = holders.remove(random.nextInt(holders.size()));
                int[] mine = holder[2] == 1 ? onFault : full;
                remove(counts, BASE + holder[0], BASE + holder[1], holder[2] == 1, random.nextBoolean());
                count(mine, holder[0], holder[1], -1);
            }
            if (size <= 16 || step % 16 == 0) {
                compare(counts, full, onFault);
            }
        }
        compare(counts, full, onFault);
        return true;
    }

    private static void add(IntervalCounts counts, long start, long end, boolean isOnFault) {
        counts.reserve(start, end);
        counts.add(start, end, isOnFault);
        counts.unpin(start);
        counts.unpin(end);
    }

    private static void remove(IntervalCounts counts, long start, long end, boolean isOnFault, boolean leave) {
        counts.reserve(start, end);
        counts.remove(start, end, isOnFault, leave);
    }

    private static void count(int[] counters, int start, int end, int by) {
        for (int i = start; i < end; i++) {
            counters[i] += by;
        }
    }

    private static void compare(IntervalCounts counts, int[] full, int[] onFault) {
        int[] seenFull = new int[full.length];
        int[] seenOnFault = new int[full.length];
        long lastEnd = 0;
        int lastFull = 0;
        int lastOnFault = 0;
        long leftovers = 0;
        IntervalCounts.Cursor at = counts.cursor();
        for (boolean more = at.firstEndingAfter(0); more; more = at.next()) {
            assertTrue(at.count() > 0 || at.isLeftover(), "an interval without holders");
            assertTrue(
                    lastEnd != at.start() || lastFull != at.full() || lastOnFault != at.onFault(),
                    "equal neighbours are not joined");
            lastEnd = at.end();
            lastFull = at.full();
            lastOnFault = at.onFault();
            if (at.isLeftover()) {
                leftovers += at.length();
            } else {
                count(seenFull, (int) (at.start() - BASE), (int) (at.end() - BASE), at.full());
                count(seenOnFault, (int) (at.start() - BASE), (int) (at.end() - BASE), at.onFault());
            }
        }
        assertArrayEquals(full, seenFull);
        assertArrayEquals(onFault, seenOnFault);
        long bytes = 0;
        for (int i = 0; i < full.length; i++) {
            bytes += full[i] + onFault[i] > 0 ? 1 : 0;
            assertEquals(full[i] + onFault[i] > 0, counts.isHeld(BASE + i, BASE + i + 1), "at " + i);
        }
        assertEquals(bytes, counts.heldBytes());
        assertEquals(leftovers, counts.leftoverBytes());
    }

    private static List<Long> edges(IntervalCounts counts) {
        List<Long> seen = new ArrayList<>();
        IntervalCounts.Cursor at = counts.cursor();
        for (boolean more = at.firstEndingAfter(0); more; more = at.next()) {
            assertTrue(at.end() - at.start() > 0);
            seen.add(at.start());
            seen.add(at.end());
        }
        return seen;
    }

    @Test
    void aHolderEndsLeftovers() {
        IntervalCounts counts = new IntervalCounts(at -> false);
        add(counts, 10, 20, false);
        remove(counts, 10, 20, false, true);
        assertEquals(10, counts.leftoverBytes());
        assertFalse(counts.isHeld(10, 20));
        add(counts, 15, 30, true);
        assertEquals(List.of(10L, 15L, 15L, 30L), edges(counts));
        assertEquals(5, counts.leftoverBytes());
        assertEquals(15, counts.heldBytes());
        counts.removeLeftovers(0, -1);
        assertEquals(List.of(15L, 30L), edges(counts));
        assertEquals(0, counts.leftoverBytes());
    }

    @Test
    void pinnedEdgesStayBoundariesUntilTheyAreUnpinned() {
        boolean[] pinned = {true};
        IntervalCounts counts = new IntervalCounts(at -> pinned[0] && at == 20);
        add(counts, 10, 20, false);
        add(counts, 20, 30, false);
        assertEquals(List.of(10L, 20L, 20L, 30L), edges(counts));
        pinned[0] = false;
        counts.unpin(20);
        assertEquals(List.of(10L, 30L), edges(counts));
    }

    @Test
    void whatIsReservedAndReleasedLeavesNothing() {
        IntervalCounts counts = new IntervalCounts(at -> false);
        add(counts, 10, 20, false);
        add(counts, 30, 40, false);
        counts.reserve(15, 35);
        counts.release(15, 35);
        assertEquals(List.of(10L, 20L, 30L, 40L), edges(counts));
        assertEquals(20, counts.heldBytes());
    }

    @Test
    void searchesDoNotDisturbACursor() {
        IntervalCounts counts = new IntervalCounts(at -> false, 4);
        for (int start = 0; start < 60; start += 3) {
            add(counts, BASE + start, BASE + start + 2, false);
        }
        int seen = 0;
        IntervalCounts.Cursor at = counts.cursor();
        for (boolean more = at.firstEndingAfter(0); more; more = at.next()) {
            assertEquals(BASE + 3 * seen++, at.start());
            assertTrue(counts.isHeld(BASE + 57, BASE + 58));
        }
        assertEquals(20, seen);
    }

    @Test
    void intervalsNeverJoinToANegativeLength() {
        IntervalCounts counts = new IntervalCounts(at -> false);
        add(counts, 4096, Long.MIN_VALUE, false);
        add(counts, Long.MIN_VALUE, -4096, false);
        assertEquals(4, edges(counts).size());
    }

    @Test
    void aTerabyteIsOneInterval() {
        IntervalCounts counts = new IntervalCounts(at -> false);
        add(counts, 1L << 40, 2L << 40, false);
        assertEquals(List.of(1L << 40, 2L << 40), edges(counts));
        assertEquals(1L << 40, counts.heldBytes());
    }
}
