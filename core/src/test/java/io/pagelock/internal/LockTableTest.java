// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.lists;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The decisions of the engine without threads or kernel: several protocols advance step by step in any order. */
class LockTableTest {
    private static final long PAGE = 4096;
    private static final int PAGES = 12;
    /** Straddles the sign bit, so that signed comparison anywhere shows. */
    private static final long BASE = Long.MIN_VALUE - PAGES / 2 * PAGE;

    @Test
    void everyInterleavingKeepsHeldPagesLockedAndLeavesNothing() {
        qt().withExamples(Integer.getInteger("pagelock.examples", 5_000))
                .forAll(lists().of(integers().between(0, 1 << 24)).ofSizeBetween(1, 120))
                .check(script -> {
                    new World().run(script);
                    return true;
                });
    }

    @Test
    void noMethodRunsWithoutTheMonitor() {
        LockTable table = new LockTable();
        Hold hold = hold(0, 1);
        assertThrows(AssertionError.class, () -> table.tryBegin(Call.of(hold, Progress.UNWATCHED)));
        assertThrows(AssertionError.class, table::heldBytes);
        assertThrows(AssertionError.class, () -> table.cover(true));
        assertThrows(AssertionError.class, table.holds::count);
        assertThrows(AssertionError.class, table.mappings::lacksAny);
        assertThrows(AssertionError.class, table.sweep::begin);
    }

    @Test
    void L21_aWideLockIsOvertakenByNoneThatCameLater() {
        LockTable table = new LockTable();
        synchronized (table) {
            Call small = begin(table, hold(3, 1));
            Call wide = Call.of(hold(0, 8), Progress.UNWATCHED);
            boolean[] called = new boolean[2];
            assertFalse(table.tryBegin(wide));
            table.enqueue(new Turn(wide, null, () -> called[0] = true));
            Call later = Call.of(hold(5, 1), Progress.UNWATCHED);
            assertFalse(table.tryBegin(later), "its page is free, and the wide lock came first");
            table.enqueue(new Turn(later, null, () -> called[1] = true));
            Call elsewhere = begin(table, hold(9, 1));
            assertTrue(table.settle(elsewhere));
            assertFalse(called[0]);
            assertTrue(table.settle(small));
            assertTrue(called[0]);
            assertFalse(called[1]);
            assertTrue(table.tryBegin(wide));
            assertTrue(table.settle(wide));
            assertTrue(called[1]);
            assertTrue(table.tryBegin(later));
        }
    }

    /** It was only looked at, and the address-space lock flags as locked what cannot be brought in. */
    @Test
    void aPageThatAnAddressSpaceLockMayHaveFlaggedIsAskedForAgain() {
        LockTable table = new LockTable();
        synchronized (table) {
            assertTrue(table.settle(begin(table, hold(0, 1))));
            Call within = begin(table, hold(0, 1));
            assertTrue(within.isHeldFully);
            within.isKnownResident = true;
            table.cover(false);
            assertFalse(table.settle(within));
            assertTrue(table.settle(within));
            Call later = begin(table, hold(0, 1));
            assertFalse(later.isHeldFully);
        }
    }

    /** If each end looked at all that wait, this would take minutes. */
    @Test
    void anEndElsewhereDoesNotLookAtAllThatWait() {
        LockTable table = new LockTable();
        int waiting = 100_000;
        int[] called = new int[1];
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            synchronized (table) {
                Call wide = begin(table, hold(0, waiting));
                for (int i = 0; i < waiting; i++) {
                    Call parked = Call.of(hold(i, 1), Progress.UNWATCHED);
                    assertFalse(table.tryBegin(parked));
                    table.enqueue(new Turn(parked, null, () -> called[0]++ >= 0));
                }
                for (int i = 0; i < 20_000; i++) {
                    assertTrue(table.settle(begin(table, hold(waiting + 1 + i, 1))));
                }
                assertEquals(0, called[0]);
                assertTrue(table.settle(wide));
                assertEquals(waiting, called[0]);
            }
        });
    }

    @Test
    void aCancelledPlaceIsGivenUp() {
        LockTable table = new LockTable();
        synchronized (table) {
            begin(table, hold(0, 1));
            Call wide = Call.of(hold(0, 8), Progress.UNWATCHED);
            assertFalse(table.tryBegin(wide));
            table.enqueue(new Turn(wide, null, () -> true));
            boolean[] called = new boolean[1];
            Call later = Call.of(hold(5, 1), Progress.UNWATCHED);
            assertFalse(table.tryBegin(later));
            table.enqueue(new Turn(later, null, () -> called[0] = true));
            table.cancel(wide);
            assertTrue(called[0]);
            assertTrue(table.tryBegin(later));
        }
    }

    @Test
    void whoCouldNotBeWokenIsWokenByTheNextEnd() {
        LockTable table = new LockTable();
        synchronized (table) {
            Call first = begin(table, hold(0, 1));
            Call second = Call.of(hold(0, 1), Progress.UNWATCHED);
            boolean[] threads = new boolean[1];
            boolean[] called = new boolean[1];
            assertFalse(table.tryBegin(second));
            table.enqueue(new Turn(second, null, () -> called[0] = threads[0]));
            table.settle(first);
            assertFalse(called[0]);
            assertTrue(table.isStuck());
            threads[0] = true;
            assertTrue(table.settle(begin(table, hold(7, 1))), "a call of other pages");
            assertTrue(called[0]);
        }
    }

    /** So that a close elsewhere costs as much with a million leftovers as with sixteen. */
    @Test
    void aSweepTriesSixteenLeftoversInTurnAndComesMoreRarelyWhileAllAreRefused() {
        LockTable table = new LockTable();
        synchronized (table) {
            int count = 100;
            for (int i = 0; i < count; i++) {
                Hold hold = hold(2 * i, 1);
                assertTrue(table.settle(begin(table, hold)));
                assertTrue(table.beginClose(hold));
                Call close = Call.closing(hold, false);
                assertTrue(table.nextPiece(close));
                table.settlePiece(close, false);
                assertFalse(table.nextPiece(close));
                table.endClose(close);
            }
            assertEquals(count * PAGE, table.leftoverBytes());
            Map<Long, Integer> tries = new HashMap<>();
            int sweeps = 0;
            int closes = 0;
            for (; sweeps < 14; closes++) {
                if (table.sweep.begin()) {
                    sweeps++;
                    assertEquals(tries.isEmpty() ? 16 : sweeps % 7 == 0 ? 4 : 16, sweepAll(table, tries));
                }
            }
            assertEquals(count, tries.size());
            assertTrue(tries.values().stream().allMatch(each -> each == 2), tries.toString());
            // Four at once, and then each pause twice as long as the one before.
            assertEquals(14 + (2 << 9) - 2, closes);
            table.sweep.soon();
            assertTrue(table.sweep.begin());
        }
    }

    /** One sweep, in which the kernel refuses everything; returns how much it tried. */
    private static int sweepAll(LockTable table, Map<Long, Integer> tries) {
        Call sweep = Call.sweep();
        int tried = 0;
        for (; table.sweep.next(sweep); tried++) {
            tries.merge(sweep.piece().start, 1, Integer::sum);
            table.sweep.settle(sweep, false);
        }
        table.sweep.end();
        return tried;
    }

    @Test
    void whatIsHeldIsListedInTurns() {
        LockTable table = new LockTable();
        Parts all = new Parts();
        long at = 0;
        int turns = 0;
        do {
            synchronized (table) {
                for (int i = 0; turns == 0 && i < 100; i++) {
                    begin(table, hold(2 * i, 1));
                }
                at = table.held(all, at, 7);
            }
            turns++;
        } while (at != 0);
        assertEquals(100, all.count());
        assertTrue(turns > 100 / 7, turns + " turns");
    }

    @Test
    void whatWasRenewedInAnUndoIsNoEdgeOfIt() {
        LockTable table = new LockTable();
        synchronized (table) {
            Hold elsewhere = hold(0, 1);
            Hold first = hold(4, 1);
            Hold second = hold(5, 1);
            for (Hold each : List.of(elsewhere, first, second)) {
                assertTrue(table.settle(begin(table, each)));
            }
            Call refused = begin(table, hold(4, 3));
            table.beginExclusive();
            Call renewal = table.planRenewal();
            table.endExclusive(renewal, false);
            for (; renewal.part < renewal.count(); renewal.part++) {
                assertFalse(table.nextPiece(renewal));
            }
            table.beginUndo(refused);
            assertTrue(table.nextPiece(refused));
            assertEquals(Call.Step.RENEW, refused.step);
            closeShared(table, first);
            table.settlePiece(refused, true);
            assertTrue(table.nextPiece(refused));
            assertEquals(BASE + 5 * PAGE, refused.piece().end);
            // From here on, the pages behind the piece have one holder each, and become one interval.
            closeShared(table, second);
            table.settlePiece(refused, true);
            while (table.nextPiece(refused)) {
                assertEquals(Call.Step.UNLOCK, refused.step);
                table.settlePiece(refused, true);
            }
            table.endClose(refused);
            assertEquals(PAGE, table.heldBytes());
            assertTrue(table.beginClose(elsewhere));
            assertTrue(table.nextPiece(Call.closing(elsewhere, true)), "its page is not counted any more");
        }
    }

    /** Closes a hold whose pages another call holds, too. */
    private static void closeShared(LockTable table, Hold hold) {
        assertTrue(table.beginClose(hold));
        Call close = Call.closing(hold, true);
        assertFalse(table.nextPiece(close));
        table.endClose(close);
    }

    private static Call begin(LockTable table, Hold hold) {
        Call call = Call.of(hold, Progress.UNWATCHED);
        assertTrue(table.tryBegin(call));
        return call;
    }

    private static Hold hold(int first, int count) {
        return new Hold(null, null, BASE + first * PAGE, BASE + (first + count) * PAGE, false);
    }

    /** One world: a table, a kernel that is an array, and the calls that are somewhere in their protocol. */
    private static final class World {
        private final LockTable table = new LockTable();
        private final boolean[] locked = new boolean[PAGES];
        private final List<Hold> open = new ArrayList<>();
        private final List<Call> locking = new ArrayList<>();
        private final Set<Call> asked = new HashSet<>();
        private final Map<Call, Boolean> pieces = new HashMap<>();
        private final List<Call> waiting = new ArrayList<>();
        private final List<Call> ending = new ArrayList<>();
        private final StringBuilder log = new StringBuilder();

        void run(List<Integer> script) {
            synchronized (table) {
                for (int seed : script) {
                    step(new SplittableRandom(seed));
                    check();
                }
                finish();
            }
        }

        private void step(SplittableRandom random) {
            switch (random.nextInt(8)) {
                case 0:
                case 1:
                    start(random);
                    break;
                case 2:
                    if (!locking.isEmpty()) {
                        settle(locking.get(random.nextInt(locking.size())));
                    }
                    break;
                case 3:
                    if (!locking.isEmpty()) {
                        fail(locking.get(random.nextInt(locking.size())), random);
                    }
                    break;
                case 4:
                    close(random);
                    break;
                case 5:
                case 6:
                    if (!ending.isEmpty()) {
                        advance(ending.get(random.nextInt(ending.size())), random.nextInt(5) > 0);
                    }
                    break;
                default:
                    drop(random.nextInt(3) > 0);
                    break;
            }
        }

        private void start(SplittableRandom random) {
            int first = random.nextInt(PAGES);
            int count = 1 + random.nextInt(Math.min(5, PAGES - first));
            Hold hold = hold(first, count);
            if (random.nextInt(3) == 0 && first + count + 2 < PAGES) {
                hold = new Hold(
                        null,
                        null,
                        new long[] {
                            address(first), address(first + count), address(first + count + 1), address(PAGES - 1)
                        },
                        random.nextBoolean());
            }
            Call call = Call.of(hold, Progress.UNWATCHED);
            hold.call = call;
            log.append("lock ").append(first).append('+').append(count).append('\n');
            if (table.tryBegin(call)) {
                locking.add(call);
            } else {
                table.enqueue(new Turn(call, null, () -> true));
                waiting.add(call);
            }
        }

        /** Asks the kernel, or settles what was asked; the kernel may drop it in between. */
        private void settle(Call call) {
            if (asked.add(call)) {
                set(call, true);
            } else if (table.settle(call)) {
                locking.remove(call);
                open.add(call.hold);
                beginWaiting();
            } else {
                asked.remove(call);
            }
        }

        private void fail(Call call, SplittableRandom random) {
            log.append("fail\n");
            for (int i = 0; i < call.count(); i++) {
                int first = page(call.span(i).start);
                int most = page(call.span(i).end) - first;
                for (int page = 0; page < random.nextInt(most + 1); page++) {
                    locked[first + page] = true;
                }
            }
            locking.remove(call);
            table.beginUndo(call);
            ending.add(call);
        }

        private void close(SplittableRandom random) {
            if (open.isEmpty()) {
                return;
            }
            Hold hold = open.get(random.nextInt(open.size()));
            log.append("close\n");
            assertTrue(table.beginClose(hold));
            assertFalse(table.beginClose(hold));
            open.remove(hold);
            ending.add(Call.closing(hold, random.nextBoolean()));
        }

        /** One step of a call that ends: asks the kernel for a piece, or settles it. */
        private void advance(Call call, boolean done) {
            if (pieces.containsKey(call)) {
                table.settlePiece(call, pieces.remove(call));
            } else if (table.nextPiece(call)) {
                Span piece = call.piece();
                boolean unlocks = call.step == Call.Step.UNLOCK;
                for (int page = page(piece.start); page < page(piece.end); page++) {
                    if (unlocks) {
                        assertEquals(1, holders(page), "page " + page + " unlocked under another\n" + log);
                    }
                    locked[page] = unlocks ? locked[page] && !done : true;
                }
                pieces.put(call, done || !unlocks);
            } else if (call.part + 1 < call.count()) {
                call.part++;
            } else {
                ending.remove(call);
                table.endClose(call);
                if (call.hold.state == Hold.State.LOCKED) {
                    open.add(call.hold);
                }
                beginWaiting();
            }
        }

        /** How many hold a page, besides those that are ending: the one that unlocks it, and what is open or locking. */
        private int holders(int page) {
            int holders = 1;
            for (Hold hold : open) {
                holders += hold.overlaps(address(page), address(page + 1)) ? 1 : 0;
            }
            for (Call other : locking) {
                holders += other.hold.overlaps(address(page), address(page + 1)) ? 1 : 0;
            }
            return holders;
        }

        /** The kernel drops everything; then what is held and not under way is locked again. */
        private void drop(boolean dropped) {
            if (pieces.keySet().stream().anyMatch(call -> call.step == Call.Step.UNLOCK)) {
                // It would wait for these.
                return;
            }
            log.append("drop\n");
            table.beginExclusive();
            Call renewal = table.planRenewal();
            for (int page = 0; dropped && page < PAGES; page++) {
                locked[page] = false;
            }
            table.endExclusive(renewal, dropped);
            for (; renewal.part < renewal.count(); renewal.part++) {
                for (int page = page(renewal.span(renewal.part).start);
                        page < page(renewal.span(renewal.part).end);
                        page++) {
                    locked[page] = true;
                }
                while (table.nextPiece(renewal)) {
                    for (int page = page(renewal.piece().start); page < page(renewal.piece().end); page++) {
                        locked[page] = false;
                    }
                    table.settlePiece(renewal, true);
                }
            }
            beginWaiting();
        }

        private void beginWaiting() {
            for (Call call : new ArrayList<>(waiting)) {
                if (table.tryBegin(call)) {
                    waiting.remove(call);
                    locking.add(call);
                }
            }
        }

        private void set(Call call, boolean value) {
            for (int i = 0; i < call.count(); i++) {
                for (int page = page(call.span(i).start); page < page(call.span(i).end); page++) {
                    locked[page] = value;
                }
            }
        }

        private void check() {
            for (Hold hold : open) {
                for (int page = 0; page < PAGES; page++) {
                    if (hold.overlaps(address(page), address(page + 1)) && !isUnderWay(page)) {
                        assertTrue(locked[page], "page " + page + " of an open hold is not locked\n" + log);
                    }
                }
            }
        }

        private boolean isUnderWay(int page) {
            for (Call call : locking) {
                if (call.hold.overlaps(address(page), address(page + 1))) {
                    return true;
                }
            }
            for (Call call : ending) {
                if (call.ownsParts && call.hold.overlaps(address(page), address(page + 1))) {
                    return true;
                }
            }
            return false;
        }

        private void finish() {
            while (!locking.isEmpty() || !ending.isEmpty() || !open.isEmpty() || !waiting.isEmpty()) {
                if (!ending.isEmpty()) {
                    advance(ending.get(0), true);
                } else if (!locking.isEmpty()) {
                    settle(locking.get(0));
                } else if (!open.isEmpty()) {
                    close(new SplittableRandom(1));
                } else {
                    int before = waiting.size();
                    beginWaiting();
                    assertTrue(waiting.size() < before, "nothing is under way, and nobody may begin\n" + log);
                }
            }
            for (int i = 0; i < 100 && table.leftoverBytes() > 0; i++) {
                sweep();
            }
            assertEquals(0, table.leftoverBytes(), log.toString());
            assertEquals(0, table.heldBytes(), log.toString());
            assertEquals(0, table.holds.count(), log.toString());
            for (int page = 0; page < PAGES; page++) {
                assertFalse(locked[page], "page " + page + " stays locked\n" + log);
            }
        }

        private void sweep() {
            table.sweep.soon();
            if (table.sweep.begin()) {
                Call sweep = Call.sweep();
                while (table.sweep.next(sweep)) {
                    for (int page = page(sweep.piece().start); page < page(sweep.piece().end); page++) {
                        locked[page] = false;
                    }
                    table.sweep.settle(sweep, true);
                }
                table.sweep.end();
            }
        }

        private static int page(long address) {
            return (int) ((address - BASE) / PAGE);
        }

        private static long address(int page) {
            return BASE + page * PAGE;
        }
    }
}
