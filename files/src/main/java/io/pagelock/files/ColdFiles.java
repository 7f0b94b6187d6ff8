// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

/**
 * Decides when to look whether the next files must be read in: when locking is slow. The load of the machine and the start of
 * the JVM slow it down, too, and to look at files takes longer than to lock them, so it is done less and less often where they
 * turn out to be in memory.
 */
final class ColdFiles {
    /** A small file that is in memory takes a tenth of this. */
    static final long SLOW_NANOS = 50_000;

    private static final int MOST_PASSED_OVER = 256;

    private boolean slow;
    private int passOver;
    private int left;

    /** Reports whether to look before the next step; asked once for each. */
    boolean isDue() {
        left = Math.max(0, left - 1);
        return slow && left == 0;
    }

    /** Takes note of what a look showed. */
    void looked(boolean missing) {
        slow = missing;
        passOver = missing ? 0 : Math.min(MOST_PASSED_OVER, 2 * passOver + 1);
        left = passOver + 1;
    }

    /** Takes note of how long a step took. */
    void locked(int files, long nanos) {
        slow |= nanos > SLOW_NANOS * files;
    }
}
