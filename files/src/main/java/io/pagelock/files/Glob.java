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
import java.util.function.IntPredicate;

/** A pattern for file names; see {@link FileSelection}. Java's own know names only as the locale decodes them. */
final class Glob {
    // A byte that is no UTF-8 becomes a lone surrogate, which no UTF-8 becomes.
    private static final char BAD = '\udc00';

    private final List<Part> parts;
    private final boolean wholePath;

    private Glob(byte[] glob) {
        String text = decode(glob);
        wholePath = text.indexOf('/') >= 0;
        parts = compile(text.codePoints().toArray());
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
        return name != null && matches(decode(Names.bytes(name)).codePoints().toArray());
    }

    /** One part of a pattern: it stands for one character, or, where it repeats, for any number of them. */
    private static final class Part {
        final IntPredicate matches;
        final boolean repeats;

        Part(IntPredicate matches, boolean repeats) {
            this.matches = matches;
            this.repeats = repeats;
        }
    }

    private static List<Part> compile(int... glob) {
        if (glob.length == 0) {
            throw new IllegalArgumentException("an empty pattern matches nothing");
        }
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < glob.length; i++) {
            int each = glob[i];
            if (each == '*') {
                boolean twice = i + 1 < glob.length && glob[i + 1] == '*';
                parts.add(new Part(twice ? c -> true : c -> c != '/', true));
                i += twice ? 1 : 0;
            } else if (each == '?') {
                parts.add(new Part(c -> c != '/', false));
            } else if (each == '[') {
                i = set(glob, i, parts);
            } else {
                if (each == '\\' && ++i == glob.length) {
                    throw new IllegalArgumentException("the pattern " + shown(glob) + " ends with a backslash");
                }
                int literal = glob[i];
                parts.add(new Part(c -> c == literal, false));
            }
        }
        return parts;
    }

    /** Returns the index of the bracket that ends the set. */
    private static int set(int[] glob, int from, List<Part> parts) {
        int at = from + 1;
        boolean not = at < glob.length && (glob[at] == '!' || glob[at] == '^');
        at += not ? 1 : 0;
        IntPredicate set = c -> false;
        for (int first = at; at < glob.length; at++) {
            if (glob[at] == ']' && at > first) {
                IntPredicate any = set;
                parts.add(new Part(not ? c -> c != '/' && !any.test(c) : any, false));
                return at;
            }
            at += escapes(glob, at);
            int low = glob[at];
            int high = low;
            if (at + 2 < glob.length && glob[at + 1] == '-' && glob[at + 2] != ']') {
                at += 2;
                at += escapes(glob, at);
                high = glob[at];
            }
            if (high < low) {
                throw new IllegalArgumentException(
                        "the pattern " + shown(glob) + " has a range whose end comes before its start");
            }
            int end = high;
            set = set.or(c -> low <= c && c <= end);
        }
        throw new IllegalArgumentException("the pattern " + shown(glob) + " ends within brackets");
    }

    private static int escapes(int[] glob, int at) {
        return glob[at] == '\\' && at + 1 < glob.length ? 1 : 0;
    }

    /** In a time that grows with the product of the lengths, whatever they hold: it keeps the parts that may come next. */
    private boolean matches(int... name) {
        boolean[] before = new boolean[parts.size() + 1];
        before[0] = true;
        skip(before);
        for (int i = 0; i < name.length; i++) {
            boolean[] now = new boolean[before.length];
            for (int part = 0; part < parts.size(); part++) {
                Part each = parts.get(part);
                if (before[part] && each.matches.test(name[i])) {
                    now[each.repeats ? part : part + 1] = true;
                }
            }
            skip(now);
            before = now;
        }
        return before[parts.size()];
    }

    /** What may repeat may also be left out. */
    private void skip(boolean[] places) {
        for (int part = 0; part < parts.size(); part++) {
            places[part + 1] |= places[part] && parts.get(part).repeats;
        }
    }

    private static String shown(int... glob) {
        return Names.text(new String(glob, 0, glob.length).getBytes(StandardCharsets.UTF_8));
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
