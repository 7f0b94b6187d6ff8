// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each row of {@code docs/errors.md} names tests that exist, and each reason has a place there. */
class ErrorsPageTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern NAME = Pattern.compile("`(?:(\\w+)\\.)?(\\w+)`");

    @TestFactory
    Stream<DynamicTest> eachRowNamesTestsThatExist() throws IOException {
        Map<String, String> sources = sources();
        List<String> rows = rows();
        assertTrue(rows.size() > 60, "only " + rows.size() + " rows were found");
        return rows.stream().map(row -> DynamicTest.dynamicTest(row, () -> check(row, sources)));
    }

    @Test
    void eachReasonHasThePlaceThatMessagesLeadTo() throws IOException {
        List<String> lines = Files.readAllLines(ROOT.resolve("docs/errors.md"));
        for (Reason reason : Reason.values()) {
            assertTrue(lines.contains("### " + reason.name()), reason.name() + " has no heading");
            assertTrue(reason.page()
                    .endsWith("/docs/errors.html#"
                            + reason.name().toLowerCase(Locale.ROOT).replace('_', '-')));
        }
    }

    /** The text of each type; several modules may have one of the same name. */
    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new HashMap<>();
        // Not the whole tree, in which the build of another module may write and delete meanwhile.
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path module : modules.toList()) {
                Path tests = module.resolve("src/test/java");
                if (Files.isDirectory(tests)) {
                    addSources(tests, sources);
                }
            }
        }
        return sources;
    }

    private static void addSources(Path tests, Map<String, String> sources) throws IOException {
        try (Stream<Path> files = Files.walk(tests)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".java")).toList()) {
                String type = file.getFileName().toString().replace(".java", "");
                sources.merge(type, Files.readString(file), String::concat);
            }
        }
    }

    private static List<String> rows() throws IOException {
        List<String> rows = new ArrayList<>();
        boolean inTable = false;
        for (String line : Files.readAllLines(ROOT.resolve("docs/errors.md"))) {
            if (line.startsWith("|") && !inTable) {
                assertTrue(line.endsWith("| test |"), "a table without tests: " + line);
            } else if (line.startsWith("|") && !line.startsWith("| ---")) {
                rows.add(line);
            }
            inTable = line.startsWith("|");
        }
        return rows;
    }

    private static void check(String row, Map<String, String> sources) {
        String[] cells = row.split(" \\| ");
        List<MatchResult> names =
                NAME.matcher(cells[cells.length - 1]).results().collect(Collectors.toList());
        assertTrue(!names.isEmpty(), "no test");
        String type = null;
        for (MatchResult name : names) {
            type = name.group(1) == null ? type : name.group(1);
            assertTrue(sources.containsKey(type), "there is no " + type);
            assertTrue(
                    sources.get(type).contains(" void " + name.group(2) + "("), type + " has no test " + name.group(2));
        }
    }
}
