// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Collects figures and writes them as Markdown. */
final class Report {
    private static final String BEGIN = "<!-- figures: written by benchmarks/run -->";
    private static final String END = "<!-- end of figures -->";

    private final List<String> targets = new ArrayList<>();
    private final StringBuilder details = new StringBuilder();

    /** A figure with a bound that it must not exceed. */
    void atMost(String what, String ratioOf, Sample ratio, double bound) {
        target(what, ratioOf, "at most " + Sample.number(bound), ratio, "", ratio.median() <= bound);
    }

    void atMost(String what, String ratioOf, Sample value, String unit, double bound) {
        target(what, ratioOf, "at most " + Sample.number(bound) + unit, value, unit, value.median() <= bound);
    }

    void atLeast(String what, String ratioOf, Sample ratio, double bound) {
        target(what, ratioOf, "at least " + Sample.number(bound), ratio, "", ratio.median() >= bound);
    }

    private void target(String what, String ratioOf, String bound, Sample value, String unit, boolean reached) {
        if (value.isEmpty()) {
            return;
        }
        targets.add("| " + what + " | " + ratioOf + " | " + value.text(unit) + " | " + bound + " | "
                + (reached ? "yes" : "**no**") + " |");
    }

    void heading(String title, String text, String... columns) {
        details.append("\n### ").append(title).append("\n").append(text).append("\n\n");
        row(columns);
        for (int i = 0; i < columns.length; i++) {
            details.append("| --- ");
        }
        details.append("|\n");
    }

    void row(String... cells) {
        details.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    String text(String machine) {
        return machine + "\n| figure | of what | median (quartiles) | asked for | reached |\n"
                + "| --- | --- | --- | --- | --- |\n" + String.join("\n", targets) + "\n" + details;
    }

    /** Replaces what stands between the marks. */
    static void writeInto(Path file, String text) throws IOException {
        String old = Files.readString(file);
        int begin = old.indexOf(BEGIN);
        int end = old.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IllegalStateException(file + " lacks the marks " + BEGIN + " and " + END);
        }
        Files.writeString(file, old.substring(0, begin) + BEGIN + "\n" + text + old.substring(end));
    }
}
