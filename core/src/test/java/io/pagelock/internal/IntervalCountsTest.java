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
import java.util.Arrays;
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
        IntervalCounts counts = new IntervalCounts(true, capacity);
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
                counts.add(BASE + start, BASE + end, isOnFault);
                count(isOnFault ? onFault : full, start, end, 1);
                holders.add(new int[] {start, end, isOnFault ? 1 : 0});
            } else {
                int[] holder = holders.remove(random.nextInt(holders.size()));
                int[] mine = holder[2] == 1 ? onFault : full;
                if (random.nextBoolean()) {
                    counts.remove(BASE + holder[0], BASE + holder[1], holder[2] == 1);
                    count(mine, holder[0], holder[1], -1);
                } else {
                    long[] sole = removeShared(counts, BASE + holder[0], BASE + holder[1], holder[2] == 1);
                    List<Long> expected = new ArrayList<>();
                    for (int i = holder[0]; i < holder[1]; i++) {
                        if (full[i] + onFault[i] > 1) {
                            mine[i]--;
                        } else if (!expected.isEmpty() && expected.get(expected.size() - 1) == BASE + i) {
                            expected.set(expected.size() - 1, BASE + i + 1);
                        } else {
                            expected.add(BASE + i);
                            expected.add(BASE + i + 1);
                        }
                    }
                    assertArrayEquals(
                            expected.stream().mapToLong(Long::longValue).toArray(), sole);
                    for (int i = 0; i < sole.length; i += 2) {
                        holders.add(new int[] {(int) (sole[i] - BASE), (int) (sole[i + 1] - BASE), holder[2]});
                    }
                }
            }
            if (size <= 16 || step % 16 == 0) {
                compare(counts, full, onFault);
            }
        }
        compare(counts, full, onFault);
        return true;
    }

    private static long[] removeShared(IntervalCounts counts, long start, long end, boolean onFault) {
        boolean isSole = counts.isSole(start, end);
        counts.prepare(start, end);
        Parts sole = new Parts();
        counts.addSole(start, end, sole);
        counts.removeShared(start, end, onFault);
        if (isSole) {
            assertArrayEquals(new long[] {start, end}, sole.toArray());
        }
        return sole.toArray();
    }

    private static void count(int[] counters, int start, int end, int by) {
        for (int i = start; i < end; i++) {
            counters[i] += by;
        }
    }

    private static void compare(IntervalCounts counts, int[] full, int[] onFault) {
        int[] seenFull = new int[full.length];
        int[] seenOnFault = new int[full.length];
        long[] last = {0, -1, -1};
        counts.forEach((start, end, fullCount, onFaultCount) -> {
            assertTrue(fullCount + onFaultCount > 0, "an interval without holders");
            assertTrue(
                    last[0] != start || last[1] != fullCount || last[2] != onFaultCount,
                    "equal neighbours are not joined");
            last[0] = end;
            last[1] = fullCount;
            last[2] = onFaultCount;
            count(seenFull, (int) (start - BASE), (int) (end - BASE), fullCount);
            count(seenOnFault, (int) (start - BASE), (int) (end - BASE), onFaultCount);
        });
        assertArrayEquals(full, seenFull);
        assertArrayEquals(onFault, seenOnFault);
        long bytes = 0;
        for (int i = 0; i < full.length; i++) {
            bytes += full[i] + onFault[i] > 0 ? 1 : 0;
            for (int least = 1; least < 4; least++) {
                assertEquals(
                        full[i] + onFault[i] >= least, counts.anyAtLeast(BASE + i, BASE + i + 1, least), "at " + i);
            }
        }
        assertEquals(bytes, counts.bytes());
    }

    @Test
    void clearingARangeLeavesTheRest() {
        IntervalCounts counts = new IntervalCounts(true);
        counts.add(10, 20, false);
        counts.add(30, 40, true);
        counts.clear(15, 35);
        List<Long> seen = new ArrayList<>();
        counts.forEach((start, end, full, onFault) -> {
            seen.add(start);
            seen.add(end);
        });
        assertEquals(List.of(10L, 15L, 35L, 40L), seen);
        assertEquals(10, counts.bytes());
        counts.clear(0, 100);
        assertTrue(counts.isEmpty());
        assertEquals(0, counts.bytes());
    }

    @Test
    void clearingManyIntervalsLeavesTheRest() {
        SplittableRandom random = new SplittableRandom(7);
        for (int round = 0; round < 300; round++) {
            IntervalCounts counts = new IntervalCounts(true, 4);
            int[] full = new int[600];
            int[] onFault = new int[600];
            for (int start = 0; start < 600; start += 3) {
                counts.add(BASE + start, BASE + start + 2, false);
                count(full, start, start + 2, 1);
            }
            for (int i = 0; i < 5; i++) {
                int start = random.nextInt(600);
                int end = start + 1 + random.nextInt(600 - start);
                counts.clear(BASE + start, BASE + end);
                Arrays.fill(full, start, end, 0);
                compare(counts, full, onFault);
            }
            counts.clear();
            assertTrue(counts.isEmpty());
            counts.add(BASE + 598, BASE + 599, true);
            compare(counts, new int[600], onFaultAt(598));
        }
    }

    private static int[] onFaultAt(int address) {
        int[] onFault = new int[600];
        onFault[address] = 1;
        return onFault;
    }

    @Test
    void searchesDoNotDisturbAVisitAndFindNothingAfterClearing() {
        IntervalCounts counts = new IntervalCounts(true, 4);
        for (int start = 0; start < 60; start += 3) {
            counts.add(BASE + start, BASE + start + 2, false);
        }
        List<Long> seen = new ArrayList<>();
        counts.forEach((start, end, full, onFault) -> {
            seen.add(start - BASE);
            assertTrue(counts.anyAtLeast(BASE + 57, BASE + 58, 1));
        });
        assertEquals(20, seen.size());
        assertTrue(counts.isSole(BASE + 57, BASE + 58));
        counts.clear();
        assertFalse(counts.anyAtLeast(BASE + 57, BASE + 58, 1), "found where the last search ended");
    }

    @Test
    void neighboursThatAreNotJoinedAreClearedOneByOne() {
        IntervalCounts counts = new IntervalCounts(false);
        counts.add(10, 20, false);
        counts.add(20, 30, false);
        int[] intervals = {0};
        counts.forEach((start, end, full, onFault) -> intervals[0]++);
        assertEquals(2, intervals[0]);
        counts.clear(10, 20);
        assertEquals(10, counts.bytes());
    }

    @Test
    void intervalsNeverJoinToANegativeLength() {
        IntervalCounts counts = new IntervalCounts(true);
        counts.add(4096, Long.MIN_VALUE, false);
        counts.add(Long.MIN_VALUE, -4096, false);
        int[] intervals = {0};
        counts.forEach((start, end, full, onFault) -> {
            intervals[0]++;
            assertTrue(end - start > 0);
        });
        assertEquals(2, intervals[0]);
    }

    @Test
    void aTerabyteIsOneInterval() {
        IntervalCounts counts = new IntervalCounts(true);
        counts.add(1L << 40, 2L << 40, false);
        int[] intervals = {0};
        counts.forEach((start, end, full, onFault) -> intervals[0]++);
        assertEquals(1, intervals[0]);
        assertEquals(1L << 40, counts.bytes());
    }
}
