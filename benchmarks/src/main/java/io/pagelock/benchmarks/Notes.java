// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** How a forked JVM tells its parent what it measured besides JMH's score: numbers, one a line. */
final class Notes {
    static final String PROPERTY = "pagelock.notes";

    private Notes() {}

    static void add(double number) {
        try {
            Files.writeString(
                    Path.of(System.getProperty(PROPERTY)),
                    number + "\n",
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Double> take(Path file) {
        try {
            List<Double> numbers = new ArrayList<>();
            for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
                numbers.add(Double.valueOf(line));
            }
            Files.deleteIfExists(file);
            return numbers;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
