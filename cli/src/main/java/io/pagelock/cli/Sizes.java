// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers of bytes, short but not rounded. */
final class Sizes {
    private static final Pattern SIZE = Pattern.compile("([0-9]+)([kmgtKMGT]?)");

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

    /** Reads a size such as 4096, 64k, 500m or 2g; the units are powers of 1024. */
    static long parse(String text) {
        Matcher parts = SIZE.matcher(text);
        if (parts.matches()) {
            int shift = 10
                    * " kmgt"
                            .indexOf(
                                    parts.group(2).isEmpty()
                                            ? " "
                                            : parts.group(2).toLowerCase(Locale.ROOT));
            try {
                return Math.multiplyExact(Long.parseLong(parts.group(1)), 1L << shift);
            } catch (NumberFormatException | ArithmeticException e) {
                throw new IllegalArgumentException("'" + text + "' is too large a size", e);
            }
        }
        throw new IllegalArgumentException("'" + text + "' is not a size; give bytes, or for example 64k, 500m or 2g");
    }

    /** For options. */
    static final class Parser implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            try {
                return parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
