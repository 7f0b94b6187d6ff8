// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.spi.Names;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UnsupportedEncodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where output goes: results to standard output, progress and warnings to standard error. A hold goes on whatever happens to
 * its output; that it could not be written is reported by {@link #outputFailure}. Whatever is printed may quote
 * others, so that no line reaches a terminal with control characters in it.
 */
final class Console {
    private static final int DEFAULT_COLUMNS = 80;

    /** Remembers why writing failed, which {@link PrintStream} does not. */
    private static final class Sink extends FilterOutputStream {
        private volatile IOException failure;

        Sink(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                out.write(bytes, offset, length);
                out.flush();
            } catch (IOException e) {
                failure = e;
                throw e;
            }
        }
    }

    private final Sink sink;
    private final PrintStream out;
    private final PrintStream err;
    private final Charset charset;
    private final boolean terminal;
    private final int columns;
    private boolean documented;

    Console(OutputStream out, OutputStream err, Charset charset, boolean terminal, int columns) {
        this.sink = new Sink(out);
        this.out = stream(sink, charset);
        this.err = stream(err, charset);
        this.charset = charset;
        this.terminal = terminal;
        this.columns = columns < 20 ? DEFAULT_COLUMNS : columns;
    }

    /** The console of this process; the launcher knows what is a terminal and how wide, and says so by property. */
    static Console system() {
        return new Console(
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
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
            return new PrintStream(new BufferedOutputStream(to), true, charset.name());
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
        out.println(Names.line(line, charset));
    }

    /** Results of which there may be thousands; written together. */
    void say(List<String> lines) {
        StringBuilder text = new StringBuilder();
        for (String each : lines) {
            text.append(Names.line(each, charset)).append('\n');
        }
        out.print(text);
        out.flush();
    }

    /** Something to know beside the result. */
    void warn(String line) {
        err.println("pagelock: " + Names.line(line, charset));
    }

    /** What to do about it, one setting a line. */
    void suggest(String remedy) {
        err.println("  to fix it: " + Names.line(remedy, charset));
    }

    /** Why it came to nothing. */
    void fail(Failure why, boolean debug) {
        fail(why, debug, true);
    }

    void fail(Failure why, boolean debug, boolean remedies) {
        warn(why.getMessage());
        if (remedies) {
            why.remedies().forEach(this::suggest);
            why.page().ifPresent(page -> err.println("  see " + page));
        }
        if (debug) {
            StringWriter trace = new StringWriter();
            why.printStackTrace(new PrintWriter(trace, true));
            for (String line : trace.toString().split("\n")) {
                boolean indented = line.startsWith("\t");
                err.println((indented ? "\t" : "") + Names.line(line.substring(indented ? 1 : 0), charset));
            }
        }
    }

    /** The one JSON document, in UTF-8 whatever the locale. A second one is left out. */
    void document(Object document) {
        byte[] bytes = (plain(document.toString()) + "\n").getBytes(StandardCharsets.UTF_8);
        synchronized (this) {
            if (!documented) {
                documented = true;
                out.write(bytes, 0, bytes.length);
                out.flush();
            }
        }
    }

    /** Why what was written to standard output is lost; empty also where a reader has gone away, which is its right. */
    Optional<Failure> outputFailure() {
        out.flush();
        IOException why = sink.failure;
        return why == null || isPipe()
                ? Optional.empty()
                : Optional.of(new Failure("IO_ERROR", "cannot write to standard output: " + why.getMessage()));
    }

    private static boolean isPipe() {
        try {
            String target = Files.readSymbolicLink(Paths.get("/proc/self/fd/1")).toString();
            return target.startsWith("pipe:") || target.startsWith("socket:");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** The same document, for a terminal as well: outside of texts it holds nothing that this changes. */
    private static String plain(String json) {
        StringBuilder plain = new StringBuilder(json.length());
        json.codePoints().forEach(code -> {
            if (code == '\n' || Names.isPlain(code)) {
                plain.appendCodePoint(code);
            } else {
                for (char each : Character.toChars(code)) {
                    plain.append(String.format(Locale.ROOT, "\\u%04x", (int) each));
                }
            }
        });
        return plain.toString();
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
