// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.spi.Names;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** A pattern for file names; see {@link FileSelection}. Java's own know names only as the locale decodes them. */
final class Glob {
    // A byte that is no UTF-8 becomes a lone surrogate, which no UTF-8 becomes.
    private static final char BAD = '\udc00';

    private final Pattern pattern;
    private final boolean wholePath;

    private Glob(byte[] glob) {
        String text = decode(glob);
        wholePath = text.indexOf('/') >= 0;
        pattern = compile(text);
    }

    static List<Glob> all(Collection<byte[]> globs) {
        List<Glob> all = new ArrayList<>();
        for (byte[] each : globs) {
            all.add(new Glob(each));
        }
        return all;
    }

    boolean matches(Path path) {
        Path name = wholePath ? path : path.getFileName();
        return name != null && pattern.matcher(decode(Names.bytes(name))).matches();
    }

    private static Pattern compile(String glob) {
        if (glob.isEmpty()) {
            throw new IllegalArgumentException("an empty pattern matches nothing");
        }
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < glob.length(); i++) {
            char each = glob.charAt(i);
            if (each == '*') {
                boolean twice = i + 1 < glob.length() && glob.charAt(i + 1) == '*';
                regex.append(twice ? ".*" : "[^/]*");
                i += twice ? 1 : 0;
            } else if (each == '?') {
                regex.append("[^/]");
            } else if (each == '[') {
                i = set(glob, i, regex);
            } else {
                if (each == '\\' && ++i == glob.length()) {
                    throw new IllegalArgumentException("the pattern " + shown(glob) + " ends with a backslash");
                }
                literal(glob.charAt(i), regex);
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    /** Returns the index of the bracket that ends the set. */
    private static int set(String glob, int from, StringBuilder regex) {
        int at = from + 1;
        boolean not = at < glob.length() && (glob.charAt(at) == '!' || glob.charAt(at) == '^');
        at += not ? 1 : 0;
        StringBuilder set = new StringBuilder(not ? "[^/" : "[");
        int first = at;
        for (; at < glob.length(); at++) {
            char each = glob.charAt(at);
            if (each == ']' && at > first) {
                try {
                    Pattern.compile(set + "]");
                } catch (PatternSyntaxException e) {
                    throw new IllegalArgumentException(
                            "the pattern " + shown(glob) + " has a range whose end comes before its start", e);
                }
                regex.append(set).append(']');
                return at;
            }
            boolean range = each == '-' && at > first && at + 1 < glob.length() && glob.charAt(at + 1) != ']';
            if (each == '\\' && at + 1 < glob.length()) {
                literal(glob.charAt(++at), set);
            } else if (range) {
                set.append('-');
            } else {
                literal(each, set);
            }
        }
        throw new IllegalArgumentException("the pattern " + shown(glob) + " ends within brackets");
    }

    private static void literal(char each, StringBuilder regex) {
        if (each < 0x80 && !Character.isLetterOrDigit(each)) {
            regex.append('\\');
        }
        regex.append(each);
    }

    private static String shown(String glob) {
        return Names.text(glob.getBytes(StandardCharsets.UTF_8));
    }

    private static String decode(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        while (in.hasRemaining()) {
            CoderResult result = decoder.decode(in, out, true);
            for (int i = 0; result.isError() && i < result.length(); i++) {
                out.put((char) (BAD + (in.get() & 0xff)));
            }
            decoder.reset();
        }
        out.flip();
        return out.toString();
    }
}
