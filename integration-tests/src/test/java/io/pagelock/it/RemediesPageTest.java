// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code docs/errors.md} lists every setting that a remedy of this code names, with the test that follows it or why none does. */
class RemediesPageTest {
    private static final Path ROOT = Path.of("..");
    private static final List<String> MODULES = List.of(
            "core", "backend-support", "backend-linux", "binding-foreign", "files", "cli", "secrets", "foreign");
    private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\\n]|\\\\.)*)\"");

    /** What somebody can type or set. */
    private static final Pattern SETTING = Pattern.compile(
            "docker (?:run|update)(?: --[a-z-]+)?|sysctl\\b|setcap\\b|prlimit\\b|ulimit(?: -H)? -l|ldconfig"
                    + "|apk add|dmesg|journalctl|\\bLimitMEMLOCK|MemoryMax|AmbientCapabilities|SystemCallFilter|securityContext"
                    + "|resources\\.limits\\.memory|/etc/[a-z./]*[a-z]|-Dj(?:na|ava)\\.[a-z_.]*[a-z]|--enable-native-access"
                    + "|java\\.security\\.AllPermission|PAGELOCK_OPTS=-\\w+");

    private static String page() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/errors.md"));
        return page.substring(page.indexOf("## Remedies, and which of them a test follows"));
    }

    /** The texts of every file that makes remedies. */
    private static String texts() throws IOException {
        StringBuilder texts = new StringBuilder();
        for (String module : MODULES) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(module + "/src/main/java"))) {
                for (Path file : files.filter(each -> each.toString().endsWith(".java"))
                        .sorted()
                        .collect(Collectors.toList())) {
                    String source = Files.readString(file);
                    if (source.contains("emed")) {
                        LITERAL.matcher(source.replaceAll("\"\\s*\\+\\s*\"", ""))
                                .results()
                                .forEach(each -> texts.append(each.group(1)).append('\n'));
                    }
                }
            }
        }
        return texts.toString();
    }

    private static Set<String> settings(String text) {
        return SETTING.matcher(text).results().map(MatchResult::group).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void everySettingIsOnThePageAndThePageNamesNoOther() throws IOException {
        Set<String> inCode = settings(texts());
        assertTrue(inCode.size() > 25, inCode.toString());
        assertEquals(inCode, settings(page()));
    }
}
