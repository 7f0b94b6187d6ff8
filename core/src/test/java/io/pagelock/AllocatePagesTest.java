// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AllocatePagesTest {
    /** A locker over which every block of memory begins at this address. */
    private static PageLocker locker(long pageSize, long address) {
        PageLocker locker = mock(PageLocker.class);
        when(locker.pageSize()).thenReturn(pageSize);
        when(locker.rangeOf(any())).thenAnswer(call -> {
            ByteBuffer buffer = call.getArgument(0);
            // Marked, so that the test sees which bytes of the block it was given.
            for (int i = 0; i + 8 <= buffer.capacity(); i += 8) {
                buffer.putLong(i, address + i);
            }
            return MemoryRange.of(address, buffer.remaining());
        });
        when(locker.allocatePages(any(int.class))).thenCallRealMethod();
        return locker;
    }

    @ParameterizedTest
    @CsvSource({"1, 4096", "4096, 4096", "4097, 8192", "65536, 65536"})
    void thePagesAreWhole(int bytes, int capacity) {
        for (long address : new long[] {0x10000, 0x10008, 0x10ff8, 0x11000}) {
            ByteBuffer pages = locker(4096, address).allocatePages(bytes);
            assertTrue(pages.isDirect());
            assertEquals(capacity, pages.remaining());
            assertEquals(capacity, pages.capacity());
            assertEquals((address + 4095) & -4096, pages.getLong(0));
        }
    }

    @Test
    void pagesOf64KiBAreWhole() {
        ByteBuffer pages = locker(65536, 0x7f0000000010L).allocatePages(4096);
        assertEquals(65536, pages.capacity());
        assertEquals(0x7f0000010000L, pages.getLong(0));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE - 4094})
    void whatIsNoSizeOfABufferIsRefused(int bytes) {
        PageLocker locker = locker(4096, 0x10000);
        assertThrows(IllegalArgumentException.class, () -> locker.allocatePages(bytes));
    }
}
