// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** A console whose output a test can read. */
final class TestConsole {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Charset charset;
    private final Console console;

    TestConsole() {
        this(StandardCharsets.UTF_8, false, 80);
    }

    private TestConsole(Charset charset, boolean terminal, int columns) {
        this.charset = charset;
        console = new Console(out, err, charset, terminal, columns);
    }

    static TestConsole terminal(int columns) {
        return new TestConsole(StandardCharsets.UTF_8, true, columns);
    }

    static TestConsole ascii() {
        return new TestConsole(StandardCharsets.US_ASCII, false, 80);
    }

    Console console() {
        return console;
    }

    String out() {
        return out.toString(charset);
    }

    String err() {
        return err.toString(charset);
    }

    /** Standard output as the one JSON document that it must be. */
    com.google.gson.JsonObject json() {
        return TestJson.only(out.toString(StandardCharsets.UTF_8));
    }
}
