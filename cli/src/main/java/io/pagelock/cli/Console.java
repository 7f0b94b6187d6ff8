// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UnsupportedEncodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/**
 * Where output goes: results to standard output, progress and warnings to standard error. A reader that goes away is no
 * error: {@link PrintStream} swallows it, and a hold goes on.
 */
final class Console {
    private static final int DEFAULT_COLUMNS = 80;

    private final PrintStream out;
    private final PrintStream err;
    private final Charset charset;
    private final boolean terminal;
    private final int columns;

    Console(OutputStream out, OutputStream err, Charset charset, boolean terminal, int columns) {
        this.out = stream(out, charset);
        this.err = stream(err, charset);
        this.charset = charset;
        this.terminal = terminal;
        this.columns = columns < 20 ? DEFAULT_COLUMNS : columns;
    }

    /** The console of this process; the launcher knows what is a terminal and how wide, and says so by property. */
    static Console system() {
        return new Console(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)),
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.err)),
                localeCharset(),
                isTerminal(),
                columns(System.getProperty("pagelock.columns", "")));
    }

    /** The character set of the locale; {@code file.encoding} is UTF-8 whatever the locale since Java 18. */
    static Charset localeCharset() {
        try {
            return Charset.forName(System.getProperty("sun.jnu.encoding", ""));
        } catch (IllegalArgumentException e) {
            return Charset.defaultCharset();
        }
    }

    private static boolean isTerminal() {
        String known = System.getProperty("pagelock.terminal");
        if (known != null) {
            return Boolean.parseBoolean(known);
        }
        try {
            Path target = Files.readSymbolicLink(Paths.get("/proc/self/fd/2"));
            return target.startsWith("/dev/pts") || target.toString().startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    private static int columns(String number) {
        try {
            return Integer.parseInt(number);
        } catch (NumberFormatException e) {
            return DEFAULT_COLUMNS;
        }
    }

    private static PrintStream stream(OutputStream to, Charset charset) {
        try {
            return new PrintStream(to, true, charset.name());
        } catch (UnsupportedEncodingException e) {
            throw new AssertionError(e);
        }
    }

    PrintStream out() {
        return out;
    }

    PrintStream err() {
        return err;
    }

    /** A result for a person. */
    void say(String line) {
        out.println(line);
    }

    /** Something to know beside the result. */
    void warn(String line) {
        err.println("pagelock: " + line);
    }

    /** Why it came to nothing. */
    void fail(Failure why, boolean debug) {
        warn(why.getMessage());
        if (debug) {
            why.printStackTrace(err);
        }
    }

    /** The one JSON document, in UTF-8 whatever the locale. */
    void document(Json document) {
        byte[] bytes = (document + "\n").getBytes(StandardCharsets.UTF_8);
        out.write(bytes, 0, bytes.length);
        out.flush();
    }

    /** A name as this console can show it. */
    String name(Path path) {
        return FileNames.text(path, charset);
    }

    Charset charset() {
        return charset;
    }

    /** Whether block characters can be shown. */
    boolean hasBlocks() {
        return charset.newEncoder().canEncode("░▒▓█");
    }

    /** Whether standard error is a terminal. */
    boolean isInteractive() {
        return terminal;
    }

    int columns() {
        return columns;
    }
}
