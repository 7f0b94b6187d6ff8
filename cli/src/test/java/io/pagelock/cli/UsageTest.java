// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.Availability;
import io.pagelock.PageLocker;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UsageTest extends CommandTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "hold", "status", "attach", "doctor"})
    void helpAndVersionAreEverywhere(String command) {
        assertEquals(0, command.isEmpty() ? run("--help") : run(command, "--help"));
        assertTrue(console.out().startsWith(("Usage: pagelock " + command).strip()), console.out());
        assertTrue(console.out().contains("--help"), console.out());
        console = new TestConsole();
        assertEquals(0, command.isEmpty() ? run("--version") : run(command, "--version"));
        assertTrue(console.out().startsWith("pagelock "), console.out());
        assertEquals("", console.err());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nonsense",
                "hold",
                "hold --nonsense x",
                "hold --for x",
                "hold --for 5 x",
                "hold --for -5s x",
                "hold --for",
                "doctor x",
                "status --pid 99999999999999999999",
                "attach",
                "attach 0",
                "attach x"
            })
    void badUsageIsStatusTwoWithTheReasonOnStandardError(String line) {
        assertEquals(2, run((Object[]) (line.isEmpty() ? new String[0] : line.split(" "))));
        assertEquals("", console.out());
        assertTrue(console.err().startsWith("pagelock: "), console.err());
        assertTrue(console.err().contains("--help'"), console.err());
    }

    @Test
    void badUsageWithJsonIsADocumentToo() {
        assertEquals(2, run("hold", "--json", "--for", "soon", "x"));
        assertEquals("BAD_USAGE", console.json().get("reason").getAsString());
        assertEquals("failed", console.json().get("result").getAsString());
        assertTrue(console.json().get("message").getAsString().contains("'soon' is not a length of time"));
    }

    @Test
    void badUsageQuotesArgumentsAsTheyWereTyped() {
        assertEquals(
                2,
                Main.run(
                        new String[] {
                            "doctor", new String("größe".getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1)
                        },
                        locker,
                        console.console(),
                        stop));
        assertTrue(console.err().contains("größe"), console.err());
    }

    @Test
    void emptyNameIsBadUsageAndNotTheWorkingDirectory() throws Exception {
        assertEquals(2, run("hold", ""));
        assertTrue(console.err().contains("an empty name is not a file"), console.err());
        for (String option : new String[] {"hold --pid-file", "hold --files-from", "touch --from"}) {
            String[] words = option.split(" ");
            assertEquals(2, run(words[0], words[1], "", file("held", 1).toString()), option);
            assertTrue(
                    console.err()
                            .lines()
                            .anyMatch(line -> line.contains("option '" + words[1] + "'")
                                    && line.endsWith(": an empty name is not a file")),
                    console.err());
        }
    }

    @Test
    void argumentsAreNotExpanded() throws Exception {
        file("args", 1);
        assertEquals(1, run("hold", "@" + dir.resolve("args")));
        assertTrue(console.err().contains("no such file"), console.err());
    }

    @Test
    void namesThatLookLikeOptionsFollowADoubleDash() {
        assertEquals(1, run("hold", "--", "--for"));
        assertTrue(console.err().contains("--for: no such file"), console.err());
    }

    @Test
    void unexpectedExceptionIsOneLineAndStatusOne() {
        Lockers broken = new Lockers() {
            @Override
            public PageLocker locker() {
                throw new IllegalStateException("broken by the test");
            }

            @Override
            public Availability availability() {
                throw new IllegalStateException("broken by the test");
            }
        };
        assertEquals(1, run(broken, "doctor", "--json"));
        assertEquals(
                "pagelock: java.lang.IllegalStateException: broken by the test; --debug shows the stack trace\n",
                console.err());
        assertEquals("INTERNAL_ERROR", console.json().get("reason").getAsString());
        assertEquals(1, run(broken, "doctor", "--debug"));
        assertTrue(console.err().contains("\tat "), console.err());
    }
}
