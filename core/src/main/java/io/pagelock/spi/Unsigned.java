// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/** Compares addresses, which are unsigned 64-bit numbers in a {@code long}. */
public final class Unsigned {
    private Unsigned() {}

    /**
     * Reports whether one number is below another.
     *
     * @param a an unsigned number
     * @param b an unsigned number
     * @return true if {@code a < b}
     */
    public static boolean less(long a, long b) {
        // Not Long.compareUnsigned, which the compiler makes two comparisons of.
        return a + Long.MIN_VALUE < b + Long.MIN_VALUE;
    }

    /**
     * Returns the smaller of two numbers.
     *
     * @param a an unsigned number
     * @param b an unsigned number
     * @return the smaller one
     */
    public static long min(long a, long b) {
        return less(b, a) ? b : a;
    }

    /**
     * Returns the larger of two numbers.
     *
     * @param a an unsigned number
     * @param b an unsigned number
     * @return the larger one
     */
    public static long max(long a, long b) {
        return less(a, b) ? b : a;
    }
}
