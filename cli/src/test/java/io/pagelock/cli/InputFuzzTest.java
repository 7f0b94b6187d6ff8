// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pagelock.files.FileSelection;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Whatever is typed, listed or read, the command ends with status 0, 1 or 2 and its documented reason: no exception of its own,
 * no control character on standard error, and one document with {@code --json}.
 */
class InputFuzzTest extends CommandTest {
    private static final Set<String> COMMANDS = Set.of("hold", "status", "touch", "evict");
    private static final String[] OPTIONS = {
        "--files-from", "-0", "--include", "--exclude", "--max-size", "--range", "--follow", "-x", "--json", "--budget",
        "--on-change", "--on-fault", "--best-effort", "--pid", "--from", "--debug", "--for", "--null", "--", "--help"
    };
    private static final String[] SIZES = {
        "0",
        "1",
        "4k",
        "1g",
        "-1",
        "9223372036854775807",
        "9223372036854775808",
        "8388608t",
        "99999999999999999999k",
        "0-",
        "-1k",
        "4k-8k",
        "8k-4k",
        "-",
        "--",
        "1-2-3",
        "x",
        "",
        "\0",
        "١",
        "1K",
        "0x10",
        "1e3",
        " 1"
    };
    private static final String[] PATTERNS = {
        "*",
        "**",
        "*.b",
        "[",
        "[]",
        "[!]",
        "[a-",
        "[z-a]",
        "[\\]]",
        "\\",
        "?",
        "a**b",
        "[[:alpha:]]",
        "\u00ff\u00fe",
        "(",
        "{a,b}",
        "",
        "/"
    };
    private static final String[] JSON = {
        "{", "}", "[", "]", ",", ":", "\"files\":", "\"residentRanges\":", "\"path\":", "\"uri\":",
                "\"file:///etc/passwd\"",
        "\"http://x/y\"", "\"jar:file:/x!/\"", "\"file:\"", "\"file://host/x\"", "\"\"", "null", "true", "0", "1", "-1",
                "4096",
        "1e999999999", "1.5", "9223372036854775807", "9223372036854775808", "\"\\u0000\"", "\"\\ud800\"", "NaN", "'",
                "//", "\n"
    };

    private static final int INPUTS = Integer.getInteger("pagelock.fuzz", 5_000);

    private final SplittableRandom random = new SplittableRandom(20261127);
    private final InputStream standardInput = System.in;
    private String input;

    @Test
    void everyInputEndsAsDocumented() throws Exception {
        file("a.b", 5000);
        file("d/c", 1);
        Files.write(dir.resolve("list"), (dir + "/a.b\n").getBytes(StandardCharsets.UTF_8));
        try {
            // Most of their time is picocli's.
            for (int i = 0; i < INPUTS / 50; i++) {
                attempt();
            }
        } finally {
            System.setIn(standardInput);
        }
    }

    @Test
    void everyDocumentPatternSizeAndDurationIsReadOrRefused() {
        FileSelection all = FileSelection.of(dir);
        try {
            for (int i = 0; i < INPUTS; i++) {
                input = text();
                System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.ISO_8859_1)));
                String what = input;
                refusedAtMost(Failure.class, what, () -> ResidentSet.read(new byte[] {'-'}));
                String pattern = value("--include");
                refusedAtMost(
                        IllegalArgumentException.class,
                        pattern,
                        () -> all.include(List.of(pattern.getBytes(StandardCharsets.ISO_8859_1))));
                String size = value("--range");
                refusedAtMost(IllegalArgumentException.class, size, () -> Sizes.parse(size));
                refusedAtMost(IllegalArgumentException.class, size, () -> Durations.parse(size + "s"));
            }
        } finally {
            System.setIn(standardInput);
        }
    }

    private static void refusedAtMost(Class<? extends RuntimeException> refusal, String what, Runnable reads) {
        try {
            reads.run();
        } catch (RuntimeException | Error e) {
            assertSame(refusal, e.getClass(), () -> what + " " + e);
        }
    }

    private void attempt() {
        List<String> arguments = arguments();
        input = text();
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.ISO_8859_1)));
        console = new TestConsole();
        String what = arguments + " < " + input;
        int status;
        try {
            status = Main.run(arguments.toArray(new String[0]), locker, console.console(), stop);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what, e);
        }
        assertTrue(status >= 0 && status <= 2, () -> status + ": " + what);
        String err = console.err();
        assertTrue(!err.contains("INTERNAL_ERROR") && !console.out().contains("INTERNAL_ERROR"), () -> what + err);
        assertTrue(err.chars().allMatch(c -> c == '\n' || c == '\t' || c >= ' ' && c != 0x7f), () -> what + err);
        assertTrue(status == 0 || !err.isEmpty() || console.out().contains("Usage"), () -> status + ": " + what);
        boolean json = COMMANDS.contains(arguments.get(0))
                && arguments.subList(1, arguments.size()).contains("--json");
        if (json && !arguments.contains("--help") && !arguments.contains("--")) {
            JsonObject document = JsonParser.parseString(console.out()).getAsJsonObject();
            assertTrue(status == 0 || document.has("reason"), () -> what + console.out());
        }
        assertTrue(locker.locked.isEmpty(), () -> "still locked: " + what);
    }

    private List<String> arguments() {
        List<String> all = new ArrayList<>();
        all.add(random.nextInt(20) == 0 ? any() : COMMANDS.toArray(new String[0])[random.nextInt(COMMANDS.size())]);
        if (all.get(0).equals("hold")) {
            all.add("--for=1ms");
        }
        for (int i = random.nextInt(5); i >= 0; i--) {
            String option = OPTIONS[random.nextInt(OPTIONS.length)];
            all.add(option);
            if (random.nextInt(8) > 0) {
                all.add(value(option));
            }
        }
        if (random.nextInt(3) > 0) {
            all.add(name());
        }
        // A hold without an end is right, and not what is asked here.
        all.removeIf(each -> each.equals("--for") || each.contains("man"));
        return all;
    }

    private String value(String option) {
        switch (option) {
            case "--files-from":
            case "--from":
                return random.nextInt(3) > 0 ? "-" : name();
            case "--include":
            case "--exclude":
                return random.nextBoolean() ? PATTERNS[random.nextInt(PATTERNS.length)] : any();
            case "--max-size":
            case "--budget":
            case "--range":
                return random.nextBoolean() ? SIZES[random.nextInt(SIZES.length)] : any();
            case "--on-change":
                return random.nextBoolean() ? "relock" : any();
            case "--pid":
                return random.nextBoolean() ? "self" : "-1";
            default:
                return name();
        }
    }

    private String name() {
        String[] names = {
            dir.toString(), dir + "/a.b", dir + "/d/c", dir + "/none", dir + "/list", "/dev/null", "", ".", any()
        };
        return names[random.nextInt(names.length)];
    }

    /** Bytes, one a character, as the arguments are. */
    private String any() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            text.append((char) (random.nextInt(4) == 0 ? random.nextInt(256) : 32 + random.nextInt(95)));
        }
        return text.toString();
    }

    /** What stands in a list, or in a document. */
    private String text() {
        StringBuilder text = new StringBuilder();
        int kind = random.nextInt(4);
        for (int i = random.nextInt(30); i > 0; i--) {
            if (kind < 2) {
                text.append(JSON[random.nextInt(JSON.length)]);
            } else {
                text.append(random.nextInt(3) == 0 ? dir + "/a.b" : any()).append(kind == 2 ? '\n' : '\0');
            }
        }
        if (kind == 0) {
            String entry = random.nextBoolean()
                    ? "\"path\":\"" + dir + "/a.b\""
                    : "\"uri\":\"file:" + any().replace("\"", "") + "\"";
            return "{\"files\":[{" + entry + "}],\"residentRanges\":[[" + SIZES[random.nextInt(7)] + ","
                    + JSON[18 + random.nextInt(8)] + "]]}" + (random.nextInt(4) == 0 ? text : "");
        }
        return random.nextInt(50) == 0 ? "[".repeat(100_000) : text.toString();
    }
}
