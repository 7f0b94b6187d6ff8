// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.Harness.Ability;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Group R: ranges. */
abstract class RangeRules extends Fixture {
    @Test
    void R1_theEndOfARangeIsExcluded() {
        needs(Ability.SEE_LOCKED);
        needsRoom(1);
        long memory = harness.map(3);
        try (PageLock lock = locker.lock(pages(memory + page, 1))) {
            assertLocked("010", memory);
        }
    }

    @Test
    void R2_rangesThatPassTheAddressSpaceReachNoSystemCall() {
        List<String> calls = new ArrayList<>();
        PageLocker recorded = locker(recording(calls));
        List<MemoryRange> bad = new ArrayList<>(
                Arrays.asList(MemoryRange.of(1, 1), MemoryRange.of(-page, 1), MemoryRange.of(-2 * page, 2 * page - 1)));
        if (backend.addressBits() == 32) {
            bad.add(MemoryRange.of(1L << 32, page));
            bad.add(MemoryRange.of((1L << 32) - page, 1));
        }
        for (MemoryRange range : bad) {
            assertThrows(IllegalArgumentException.class, () -> recorded.lock(range), range.toString());
        }
        assertEquals(Collections.emptyList(), calls);
    }

    @Test
    void R3_thePageSizeIsTheSystems() {
        assertEquals(page, backend.pageSize());
    }

    @Test
    void R3_twoBytesAstrideAPageEdgeLockTwoPages() {
        needs(Ability.SEE_LOCKED);
        needsRoom(2);
        long memory = harness.map(4);
        try (PageLock lock = locker.lock(MemoryRange.of(memory + 2 * page - 1, 2))) {
            assertLocked("0110", memory);
        }
    }

    @Test
    void R4_aBufferStandsForItsRemainingBytes() {
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) (4 * page));
        long whole = locker.rangeOf(buffer).address();
        buffer.position((int) page + 1).limit((int) (2 * page));
        assertEquals(MemoryRange.of(whole + page + 1, page - 1), locker.rangeOf(buffer));
        assertThrows(
                IllegalArgumentException.class,
                () -> locker.lock((ByteBuffer) buffer.duplicate().position(buffer.limit())));
        assertThrows(IllegalArgumentException.class, () -> locker.lock(ByteBuffer.allocate(1)));
        buffer.clear();
    }

    @Test
    void R4_theMemoryOfABufferIsLocked() {
        needs(Ability.SEE_LOCKED);
        needsRoom(2);
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) page);
        buffer.put(0, (byte) 1);
        try (PageLock lock = locker.lock(buffer)) {
            long address = locker.rangeOf(buffer).address();
            assertTrue(harness.isLocked(address) && harness.isLocked(address + page - 1));
        }
    }

    @Test
    void R5_anOpenHandleKeepsItsBufferReachable() throws InterruptedException {
        needsRoom(2);
        ByteBuffer buffer = ByteBuffer.allocateDirect(1);
        WeakReference<ByteBuffer> reference = new WeakReference<>(buffer);
        try (PageLock lock = locker.lock(buffer)) {
            buffer = null;
            for (int i = 0; i < 3; i++) {
                System.gc();
                Thread.sleep(10);
            }
            assertNotNull(reference.get(), "the buffer of an open handle was collected");
            assertTrue(lock.isValid());
        }
        assertTrue(afterCollection(() -> reference.get() == null), "a closed handle kept its buffer");
        assertFalse(locker.statistics().openHandles() > 0);
    }
}
