// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RegionsTest {
    private static final int PAGE = 16384;

    /** The second answer begins before the end of the first, as after another thread has locked what lies behind. */
    @Test
    void aRegionThatGrowsWhileTheMapIsReadCountsOnce() {
        MacosCalls calls = mock(MacosCalls.class);
        long[] ends = {2 * PAGE, 6 * PAGE};
        when(calls.mach_vm_region(anyInt(), any(), any(), anyInt(), any(), any(), any()))
                .thenAnswer(call -> {
                    long[] address = call.getArgument(1);
                    for (long end : ends) {
                        if (address[0] < end) {
                            address[0] = PAGE;
                            call.<long[]>getArgument(2)[0] = end - PAGE;
                            call.<int[]>getArgument(4)[MacosConstants.USER_WIRED_COUNT] = 1 | 1 << 16;
                            return MacosConstants.KERN_SUCCESS;
                        }
                    }
                    return MacosConstants.KERN_INVALID_ADDRESS;
                });
        assertEquals(OptionalLong.of(5 * PAGE), new Regions(calls).lockedBytes());
    }
}
