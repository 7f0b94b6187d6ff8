// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ColdFilesTest {
    private static final long QUICK = ColdFiles.SLOW_NANOS / 10;
    private static final long SLOW = ColdFiles.SLOW_NANOS * 2;

    private final ColdFiles cold = new ColdFiles();

    /** A letter for each step: whether it was looked at. */
    private String steps(int count, long nanosPerFile, boolean missing) {
        StringBuilder looks = new StringBuilder();
        for (int i = 0; i < count; i++) {
            boolean due = cold.isDue();
            if (due) {
                cold.looked(missing);
            }
            looks.append(due ? 'L' : '.');
            cold.locked(100, 100 * nanosPerFile);
        }
        return looks.toString();
    }

    @Test
    void quickStepsAreNotLookedAt() {
        assertEquals("......", steps(6, QUICK, false));
    }

    @Test
    void filesThatAreMissingAreLookedForAtEachStepOnceTheFirstWasSlow() {
        assertEquals(".", steps(1, SLOW, true));
        assertEquals("LLLLL", steps(5, QUICK, true));
    }

    @Test
    void filesThatAreInMemoryAreLookedAtLessAndLessOften() {
        assertEquals(".L.L...L.......L", steps(16, SLOW, false));
    }

    @Test
    void aLookThatFindsSomethingBringsBackTheOthers() {
        steps(8, SLOW, false);
        steps(8, SLOW, true);
        assertEquals("LLL", steps(3, QUICK, true));
    }
}
