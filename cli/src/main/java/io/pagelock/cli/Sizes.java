// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

/** Numbers of bytes, short but not rounded. */
final class Sizes {
    private static final String[] UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Sizes() {}

    /** Returns the number in the largest unit that divides it, such as {@code 4 KiB} or {@code 5000 bytes}. */
    static String exact(long bytes) {
        long number = bytes;
        int unit = 0;
        while (number != 0 && number % 1024 == 0) {
            number /= 1024;
            unit++;
        }
        return number + " " + UNITS[unit];
    }
}
