// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Locale;

/**
 * File names as what they are on Unix: bytes. A {@link Path} keeps them, but its text depends on the locale and loses what
 * that cannot express; the way round it is the path's URI, which is made of the bytes alone.
 */
final class FileNames {
    private static final Path ROOT = Paths.get("/");

    private FileNames() {}

    /** The path of a name, byte by byte. */
    static Path path(byte[] name) {
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
            uri.append('%').append(String.format(Locale.ROOT, "%02X", each & 0xff));
        }
        Path path = uri.toString().equals("file://") ? ROOT : Paths.get(URI.create(uri.toString()));
        // Not Path.relativize: that resolves "..", which is wrong behind a symbolic link.
        return name[0] == '/' ? path : path.subpath(0, path.getNameCount());
    }

    /** The bytes of a path. */
    static byte[] bytes(Path path) {
        if (path.toString().isEmpty()) {
            return new byte[0];
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

    /** Whether the name has an exact text, that is, it is UTF-8. */
    static boolean isText(byte[] name) {
        return decode(name, 0, name.length) != null;
    }

    /** A name to be shown: what is not UTF-8, cannot be printed or is not in the character set, as {@code \xNN}. */
    static String text(byte[] name, Charset charset) {
        if (name.length == 0) {
            return ".";
        }
        CharsetEncoder encoder = charset.newEncoder();
        StringBuilder text = new StringBuilder(name.length);
        for (int i = 0; i < name.length; ) {
            int length = Math.min(sequence(name[i]), name.length - i);
            String decoded = decode(name, i, length);
            if (decoded != null && !Character.isISOControl(decoded.codePointAt(0)) && encoder.canEncode(decoded)) {
                text.append(decoded);
            } else {
                length = decoded == null ? 1 : length;
                for (int j = i; j < i + length; j++) {
                    text.append(String.format(Locale.ROOT, "\\x%02x", name[j] & 0xff));
                }
            }
            i += length;
        }
        return text.toString();
    }

    static String text(Path path, Charset charset) {
        return text(bytes(path), charset);
    }

    private static int sequence(byte lead) {
        return lead >= 0 ? 1 : (lead & 0xe0) == 0xc0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : 4;
    }

    private static String decode(byte[] name, int start, int length) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(name, start, length))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
