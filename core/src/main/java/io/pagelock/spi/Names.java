// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.Arrays;
import java.util.Locale;

/**
 * Names from outside, which on Unix are bytes: of files, of processes, of control groups. Whoever chose such a name also
 * chose what a terminal, a log or a reader makes of it, so it becomes text here and nowhere else. For backends and tools.
 */
public final class Names {
    private static final String HEX = "0123456789abcdef";
    private static final Path ROOT = Paths.get("/");
    // In these, a byte of ASCII and its character stand for each other alone.
    private static final boolean TEXT_IS_EXACT =
            Arrays.asList("UTF-8", "ANSI_X3.4-1968", "US-ASCII", "ISO-8859-1").contains(encodingOfNames());

    private Names() {}

    /** With the rights of this library: whoever needs a name first may have none, and this class is initialized once. */
    private static String encodingOfNames() {
        try {
            return AccessController.doPrivileged(new PrivilegedAction<String>() {
                @Override
                public String run() {
                    return System.getProperty("sun.jnu.encoding", "");
                }
            });
        } catch (NoClassDefFoundError | SecurityException e) {
            // No such class in a later JVM, see JEP 411; or a policy that grants this library too little.
            return "";
        }
    }

    /**
     * Returns the text that stands for a name, and for no other. Text in UTF-8 stands for itself, a backslash is doubled, and
     * everything else is written byte by byte as {@code \xNN}: what is not UTF-8, and what {@link #isPlain} refuses.
     *
     * @param name the bytes
     * @return the text; empty for an empty name
     */
    public static String text(byte[] name) {
        return text(name, StandardCharsets.UTF_8);
    }

    /**
     * Returns the same as {@link #text(byte[])}, for output in another character set: what the set lacks is written byte by
     * byte, too.
     *
     * @param name the bytes
     * @param charset of the output
     * @return the text; empty for an empty name
     */
    public static String text(byte[] name, Charset charset) {
        if (isAscii(name)) {
            return new String(name, StandardCharsets.US_ASCII);
        }
        CharsetEncoder encoder = charset.newEncoder();
        StringBuilder text = new StringBuilder(name.length);
        for (int i = 0; i < name.length; ) {
            int length = Math.min(sequence(name[i]), name.length - i);
            String one = new String(name, i, length, StandardCharsets.UTF_8);
            if (name[i] == '\\') {
                text.append("\\\\");
            } else if (isOne(one, name, i, length) && isPlain(one.codePointAt(0)) && encoder.canEncode(one)) {
                text.append(one);
            } else {
                length = isOne(one, name, i, length) ? length : 1;
                escape(name, i, i + length, text);
            }
            i += length;
        }
        return text.toString();
    }

    /**
     * Returns a line that is about to be shown, with what {@link #isPlain} refuses and what the character set lacks as
     * {@code \xNN}. Backslashes stay, so the line may hold names that {@link #text} has dealt with. It stays one line.
     *
     * @param line the line, of which parts come from outside
     * @param charset of the output
     * @return the line to show
     */
    public static String line(String line, Charset charset) {
        if (isAscii(line)) {
            return line;
        }
        CharsetEncoder encoder = charset.newEncoder();
        StringBuilder text = new StringBuilder(line.length());
        for (int i = 0, code; i < line.length(); i += Character.charCount(code)) {
            code = line.codePointAt(i);
            if (code >= ' ' && code <= '~') {
                text.append((char) code);
                continue;
            }
            String one = line.substring(i, i + Character.charCount(code));
            if (isPlain(code) && encoder.canEncode(one)) {
                text.append(one);
            } else if (Character.getType(code) == Character.SURROGATE) {
                text.append(String.format(Locale.ROOT, "\\u%04x", code));
            } else {
                byte[] bytes = one.getBytes(StandardCharsets.UTF_8);
                escape(bytes, 0, bytes.length, text);
            }
        }
        return text.toString();
    }

    /** Whether it shows as itself in every character set; a backslash does not in a name. */
    private static boolean isAscii(byte[] name) {
        for (byte each : name) {
            if (each < ' ' || each == 0x7f || each == '\\') {
                return false;
            }
        }
        return true;
    }

    private static boolean isAscii(String line) {
        for (int i = 0; i < line.length(); i++) {
            if (line.charAt(i) < ' ' || line.charAt(i) > '~') {
                return false;
            }
        }
        return true;
    }

    /**
     * Reports whether a character shows as itself and changes nothing around it: not the controls C0 and C1, DEL, those of
     * direction and format, separators of lines and paragraphs, surrogates, and what Unicode has not assigned.
     *
     * @param codePoint the character
     * @return whether it can be shown as it is
     */
    public static boolean isPlain(int codePoint) {
        switch (Character.getType(codePoint)) {
            case Character.CONTROL:
            case Character.FORMAT:
            case Character.SURROGATE:
            case Character.PRIVATE_USE:
            case Character.UNASSIGNED:
            case Character.LINE_SEPARATOR:
            case Character.PARAGRAPH_SEPARATOR:
                return false;
            default:
                return true;
        }
    }

    /**
     * Returns the path of a name, byte by byte. {@link Paths#get(String, String...)} encodes text by the locale and refuses
     * what that lacks; the URI of a path is made of its bytes alone.
     *
     * @param name the bytes; empty for the working directory
     * @return the path, absolute if the name begins with a slash
     */
    public static Path path(byte[] name) {
        if (name.length == 0) {
            return Paths.get("");
        }
        StringBuilder uri = new StringBuilder("file://");
        boolean slash = true;
        for (byte each : name) {
            if (each == '/') {
                slash = true;
                continue;
            }
            if (slash) {
                uri.append('/');
                slash = false;
            }
            uri.append('%').append(HEX.charAt(each >> 4 & 15)).append(HEX.charAt(each & 15));
        }
        Path path = uri.toString().equals("file://") ? ROOT : Paths.get(URI.create(uri.toString()));
        // Not Path.relativize: that resolves "..", which is wrong behind a symbolic link.
        return name[0] == '/' ? path : path.subpath(0, path.getNameCount());
    }

    /**
     * Returns the bytes of a path, the reverse of {@link #path}.
     *
     * @param path the path
     * @return its name; empty for an empty path
     */
    public static byte[] bytes(Path path) {
        if (TEXT_IS_EXACT && isAscii(path.toString())) {
            return path.toString().getBytes(StandardCharsets.US_ASCII);
        }
        String uri = (path.isAbsolute() ? path : ROOT.resolve(path)).toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(uri.length());
        for (int i = path.isAbsolute() ? 0 : 1; i < uri.length(); i++) {
            if (uri.charAt(i) == '%') {
                bytes.write(Integer.parseInt(uri.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                bytes.write(uri.charAt(i));
            }
        }
        byte[] name = bytes.toByteArray();
        // The URI of a directory ends in a slash.
        boolean slash = name.length > 1 && name[name.length - 1] == '/';
        return slash ? Arrays.copyOf(name, name.length - 1) : name;
    }

    private static int sequence(byte lead) {
        return lead >= 0 ? 1 : (lead & 0xe0) == 0xc0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : 4;
    }

    /** Whether the bytes are one character in UTF-8: what is not comes back as other bytes. */
    private static boolean isOne(String decoded, byte[] name, int at, int length) {
        byte[] back = decoded.getBytes(StandardCharsets.UTF_8);
        boolean same = back.length == length && decoded.codePointCount(0, decoded.length()) == 1;
        for (int i = 0; same && i < length; i++) {
            same = back[i] == name[at + i];
        }
        return same;
    }

    private static void escape(byte[] bytes, int from, int to, StringBuilder text) {
        for (int i = from; i < to; i++) {
            text.append("\\x").append(HEX.charAt(bytes[i] >> 4 & 15)).append(HEX.charAt(bytes[i] & 15));
        }
    }
}
