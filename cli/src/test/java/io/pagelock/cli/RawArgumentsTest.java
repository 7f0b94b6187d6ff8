// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class RawArgumentsTest {
    private static byte[] commandLine(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void bytesOfTheLastArgumentsReplaceWhatTheJvmMadeOfThem() {
        assertArrayEquals(
                new String[] {"hold", "a\377b"},
                RawArguments.of(new String[] {"hold", "a\ufffdb"}, commandLine("java\0-jar\0x.jar\0hold\0a\377b\0")));
    }

    @Test
    void emptyArgumentsCount() {
        assertArrayEquals(
                new String[] {"", "x", ""},
                RawArguments.of(new String[] {"", "x", ""}, commandLine("java\0M\0\0x\0\0")));
    }

    @Test
    void otherCommandLineIsNotBelieved() {
        assertArrayEquals(
                new String[] {"status", "b"},
                RawArguments.of(new String[] {"status", "b"}, commandLine("java\0M\0status\0c\0")));
    }

    @Test
    void shorterCommandLineIsNotBelieved() {
        assertArrayEquals(
                new String[] {"status", "b"}, RawArguments.of(new String[] {"status", "b"}, commandLine("b\0")));
    }
}
