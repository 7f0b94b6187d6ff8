// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.spi.RangeSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What each round asks for, over memory and a target that are lists. Addresses are in pages. */
class FollowerTest {
    /** Records the calls. */
    private final class Recorder implements Target {
        private final List<String> calls = new ArrayList<>();
        private long refusedPage;
        private String reason = "NOT_MAPPED";

        @Override
        public AutoCloseable lockAddressSpace(AddressSpaceScope scope, Set<LockOption> options) {
            throw new AssertionError();
        }

        @Override
        public AutoCloseable lock(List<MemoryRange> ranges, Set<LockOption> options) throws Refusal {
            String what = ranges.stream().map(FollowerTest::pages).collect(Collectors.joining(" "));
            for (MemoryRange each : ranges) {
                if (each.contains(MemoryRange.of(refusedPage * 4096 + 1, 1))) {
                    calls.add("refuse " + what);
                    throw new Refusal(reason, "refused", null);
                }
            }
            calls.add("lock " + what);
            return () -> calls.add("end " + what);
        }

        @Override
        public String name() {
            return "test";
        }
    }

    private final Recorder target = new Recorder();
    private final CommittedMemory memory = mock(CommittedMemory.class);
    private long kernelCounts = Long.MAX_VALUE;

    private static String pages(MemoryRange range) {
        return range.address() / 4096 + "-" + range.end() / 4096;
    }

    private Follower follower(String options) {
        return new Follower(Request.parse(options, true), memory, target, () -> kernelCounts);
    }

    private void committed(long... edges) throws Exception {
        RangeSet.Builder set = RangeSet.builder();
        LongStream.range(0, edges.length / 2)
                .forEach(i -> set.add(edges[(int) (2 * i)] * 4096, edges[(int) (2 * i) + 1] * 4096));
        when(memory.read()).thenReturn(set.build());
    }

    private String calls() {
        String all = String.join(", ", target.calls);
        target.calls.clear();
        return all;
    }

    @Test
    void aRoundLocksWhatIsNew() throws Exception {
        Follower follower = follower("committed");
        committed(10, 20);
        assertTrue(follower.round().isEmpty());
        assertEquals("lock 10-20", calls());
        assertTrue(follower.round().isEmpty());
        assertEquals("", calls());
        committed(10, 30, 40, 41);
        follower.round();
        assertEquals("lock 20-30 40-41", calls());
        assertEquals(21 * 4096, follower.heldBytes());
    }

    @Test
    void whatWasGivenBackIsLockedWhenItIsUsedAgain() throws Exception {
        Follower follower = follower("committed");
        committed(10, 20);
        follower.round();
        committed(10, 12);
        follower.round();
        committed(10, 20);
        calls();
        follower.round();
        assertEquals("lock 12-20", calls());
    }

    /** Mapped over within one round: the list of mappings is the same, the kernel's account is smaller. */
    @Test
    void whatTheKernelNoLongerCountsIsAskedForAgain() throws Exception {
        Follower follower = follower("committed");
        committed(10, 20);
        follower.round();
        calls();
        kernelCounts = 9 * 4096;
        follower.round();
        assertEquals("lock 10-20, end 10-20", calls());
    }

    @Test
    void everythingIsAskedForAgainNowAndThen() throws Exception {
        Follower follower = follower("committed");
        committed(10, 20);
        follower.round();
        calls();
        for (int i = 0; i < 59; i++) {
            follower.round();
        }
        assertEquals("", calls());
        follower.round();
        assertEquals("lock 10-20, end 10-20", calls());
    }

    @Test
    void handlesDoNotPileUp() throws Exception {
        Follower follower = follower("committed");
        for (int i = 0; i < 50; i++) {
            committed(10, 20 + i);
            follower.round();
        }
        long locks =
                target.calls.stream().filter(each -> each.startsWith("lock")).count();
        long ends = target.calls.stream().filter(each -> each.startsWith("end")).count();
        assertTrue(locks - ends < 35, target.calls::toString);
    }

    @Test
    void memoryThatVanishesMeanwhileIsNoProblem() throws Exception {
        Follower follower = follower("committed");
        committed(10, 20, 30, 40);
        target.refusedPage = 35;
        when(memory.read())
                .thenReturn(
                        RangeSet.builder().add(40960, 81920).add(122880, 163840).build())
                .thenReturn(RangeSet.builder().add(40960, 81920).build());
        assertEquals(List.of(), follower.round());
        assertEquals("refuse 10-20 30-40, lock 10-20, refuse 30-40", calls());
    }

    @Test
    void ofWhatIsRefusedTheRestIsLockedAndTheRefusalReported() throws Exception {
        Follower follower = follower("committed");
        committed(10, 20, 30, 40);
        target.refusedPage = 35;
        target.reason = "OVER_LIMIT";
        List<Refusal> refused = follower.round();
        assertEquals("refuse 10-20 30-40, lock 10-20, refuse 30-40", calls());
        assertEquals(2, refused.size());
        follower.round();
        assertEquals("refuse 30-40, refuse 30-40", calls());
        target.refusedPage = 0;
        assertEquals(List.of(), follower.round());
        assertEquals("lock 30-40", calls());
    }

    @Test
    void requiredIsAllOrNothing() throws Exception {
        Follower follower = follower("committed,required");
        committed(10, 20, 30, 40);
        target.refusedPage = 35;
        target.reason = "OVER_LIMIT";
        assertEquals(1, follower.round().size());
        assertEquals("refuse 10-20 30-40", calls());
    }

    /** Otherwise the look now and then would unlock everything once the JVM has outgrown the limit. */
    @Test
    void whatIsLockedStaysSoWhenMoreIsRefused() throws Exception {
        Follower follower = follower("committed,required");
        committed(10, 20);
        follower.round();
        committed(10, 20, 30, 40);
        target.refusedPage = 35;
        target.reason = "OVER_LIMIT";
        for (int i = 1; i < 60; i++) {
            follower.round();
        }
        calls();
        assertEquals(1, follower.round().size());
        assertEquals("refuse 10-20 30-40, lock 10-20, end 10-20", calls());
        assertEquals(10 * 4096, follower.heldBytes());
    }

    @Test
    void theEndUnlocksEverything() throws Exception {
        Follower follower = follower("committed");
        committed(10, 20);
        follower.round();
        follower.end();
        assertEquals("lock 10-20, end 10-20", calls());
    }

    @Test
    void anUnreadableListIsAProblem() throws Exception {
        Follower follower = follower("committed");
        when(memory.read()).thenThrow(new java.io.IOException("gone"));
        assertTrue(follower.round().get(0).getMessage().contains("gone"));
    }
}
