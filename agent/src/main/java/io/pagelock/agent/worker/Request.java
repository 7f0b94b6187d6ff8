// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.spi.Names;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The options of the agent. */
final class Request {
    private static final String ALLOWED =
            "current, future, committed, on-fault, required, best-effort and interval=TIME (such as 500ms, 10s or 2m)";

    /** Everything that is mapped. */
    final boolean current;
    /** Everything that will be mapped. */
    final boolean future;
    /** Of what is mapped, the part that the JVM uses. */
    final boolean committed;

    final Set<LockOption> options;
    final boolean required;
    /** How often what the JVM uses is looked at. */
    final long intervalMillis;

    private final String text;

    private Request(Set<String> words, long intervalMillis, String text) {
        current = words.contains("current");
        future = words.contains("future");
        committed = words.contains("committed");
        options = EnumSet.noneOf(LockOption.class);
        if (words.contains("on-fault")) {
            options.add(LockOption.ON_FAULT);
        }
        required = words.contains("required");
        this.intervalMillis = intervalMillis;
        this.text = text;
    }

    /**
     * Reads the options.
     *
     * @param text words separated by commas
     * @param linux whether committed memory can be found
     * @throws IllegalArgumentException that names the option and what is allowed
     */
    static Request parse(String text, boolean linux) {
        Set<String> words = new LinkedHashSet<>();
        long interval = 1000;
        boolean paced = false;
        for (String each : text.split(",")) {
            String word = each.trim();
            if (word.startsWith("interval=")) {
                interval = millis(word.substring("interval=".length()));
                paced = true;
            } else if (word.matches("current|future|committed|on-fault|required|best-effort")) {
                words.add(word);
            } else if (!word.isEmpty()) {
                throw new IllegalArgumentException(
                        "unknown option '" + shown(word) + "'; allowed are " + ALLOWED + ", separated by commas");
            }
        }
        refuse(words, "current", "committed", "committed is the part of current that the JVM uses");
        refuse(words, "required", "best-effort", "choose one of them");
        if (!words.contains("current") && !words.contains("future") && !words.contains("committed")) {
            words.add(linux ? "committed" : "current");
        }
        if (words.contains("committed") && !linux) {
            throw new IllegalArgumentException(
                    "committed works on Linux only; use current, which locks everything that is mapped");
        }
        if (paced && !words.contains("committed")) {
            throw new IllegalArgumentException("interval applies to committed only");
        }
        return new Request(words, interval, String.join(",", words));
    }

    private static void refuse(Set<String> words, String one, String other, String why) {
        if (words.contains(one) && words.contains(other)) {
            throw new IllegalArgumentException(one + " and " + other + " exclude each other: " + why);
        }
    }

    private static long millis(String text) {
        String number = text.replaceFirst("(ms|s|m)$", "");
        if (!number.matches("[0-9]{1,6}") || number.equals(text) || number.matches("0+")) {
            throw new IllegalArgumentException(
                    "interval is '" + shown(text) + "'; write a number with ms, s or m, such as 500ms, 10s or 2m");
        }
        long count = Long.parseLong(number);
        return text.endsWith("ms") ? count : (text.endsWith("s") ? TimeUnit.SECONDS : TimeUnit.MINUTES).toMillis(count);
    }

    private static String shown(String word) {
        return Names.text(word.getBytes(StandardCharsets.UTF_8));
    }

    /** What is asked of the address space as a whole. */
    Optional<AddressSpaceScope> addressSpace() {
        if (current) {
            return Optional.of(future ? AddressSpaceScope.CURRENT_AND_FUTURE : AddressSpaceScope.CURRENT);
        }
        return future ? Optional.of(AddressSpaceScope.FUTURE) : Optional.empty();
    }

    @Override
    public String toString() {
        return text;
    }
}
