// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.Locale;

/** Formats byte counts for messages: the exact number, and a readable form if that differs. */
public final class ByteSize {
    private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private ByteSize() {}

    /**
     * Writes a number of bytes for a person.
     *
     * @param bytes the number
     * @return for example {@code 65536 bytes (64 KiB)}
     */
    public static String format(long bytes) {
        if (bytes < 1024) {
            return bytes + " bytes";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        String number =
                value == Math.rint(value) ? Long.toString((long) value) : String.format(Locale.ROOT, "%.1f", value);
        return bytes + " bytes (" + number + " " + UNITS[unit] + ")";
    }
}
