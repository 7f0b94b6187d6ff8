// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lengths of time as people type them: {@code 500ms}, {@code 5s}, {@code 2m}, {@code 1h30m}, {@code 1d}. */
final class Durations {
    private static final Pattern PART = Pattern.compile("(\\d{1,15})(ms|s|m|h|d)");
    // So that it can be counted in nanoseconds.
    private static final Duration MAX = Duration.ofDays(36_500);

    private Durations() {}

    static Duration parse(String text) {
        Matcher part = PART.matcher(text);
        Duration sum = Duration.ZERO;
        int end = 0;
        while (part.find() && part.start() == end) {
            long number = Long.parseLong(part.group(1));
            Duration each = number > MAX.toMillis() ? MAX : times(number, part.group(2));
            sum = sum.plus(each.compareTo(MAX) > 0 ? MAX : each);
            end = part.end();
        }
        if (end == 0 || end != text.length()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a length of time; write for example 500ms, 5s, 2m, 1h or 1h30m");
        }
        return sum.compareTo(MAX) > 0 ? MAX : sum;
    }

    private static Duration times(long number, String unit) {
        switch (unit) {
            case "ms":
                return Duration.ofMillis(number);
            case "s":
                return Duration.ofSeconds(number);
            case "m":
                return Duration.ofMinutes(number);
            case "h":
                return Duration.ofHours(number);
            default:
                return Duration.ofDays(number);
        }
    }
}
