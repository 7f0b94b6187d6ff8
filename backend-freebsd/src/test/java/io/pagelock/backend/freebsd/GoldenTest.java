// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.backend.testkit.ChildProcess;
import io.pagelock.backend.testkit.Recorded;
import io.pagelock.backend.testkit.standin.StandIn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The stand-in answers as FreeBSD 15.1 did on amd64, row by row; on 32 bits, too, but for the layouts. */
class GoldenTest {
    @TestFactory
    Stream<DynamicTest> theStandInAnswersAsFreeBsdDid() throws IOException, InterruptedException {
        Map<String, String> recorded = recorded();
        Map<String, String> answers = answers();
        Set<String> keys = new LinkedHashSet<>(recorded.keySet());
        keys.addAll(answers.keySet());
        return keys.stream()
                .map(key -> DynamicTest.dynamicTest(key, () -> assertEquals(recorded.get(key), answers.get(key))));
    }

    private static Map<String, String> recorded() throws IOException {
        Map<String, String> recorded = new LinkedHashMap<>(Recorded.of("freebsd"));
        if (FreeBsd.HOST.bits() == 32) {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                    GoldenTest.class.getResourceAsStream("layout-i386.tsv"), StandardCharsets.UTF_8))) {
                lines.lines()
                        .filter(line -> !line.startsWith("#"))
                        .map(line -> line.split("\t"))
                        .forEach(fields -> recorded.put(fields[0], fields[1]));
            }
        }
        return recorded;
    }

    private static Map<String, String> answers() throws IOException, InterruptedException {
        String library = FreeBsd.standIn().file().toString();
        Path driver = StandIn.program(
                Path.of("src/test/c/golden.c"),
                library,
                "-Wl,-rpath," + Path.of(library).getParent());
        String output = ChildProcess.of(driver.toString()).run().succeeded();
        Map<String, String> answers = new LinkedHashMap<>();
        for (String line : output.split("\n")) {
            String[] fields = line.split("\t");
            answers.put(fields[0], fields.length > 1 ? fields[1] : line);
        }
        answers.remove("driver");
        return answers;
    }
}
