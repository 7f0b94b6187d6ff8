// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.spi.Names;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;

/**
 * File names as what they are on Unix: bytes. A {@link Path} keeps them, but its text depends on the locale and loses what
 * that cannot express; the way round it is the path's URI, which is made of the bytes alone.
 */
final class FileNames {
    private static final Path ROOT = Paths.get("/");

    private FileNames() {}

    /** The path of a name, byte by byte. */
    static Path path(byte[] name) {
        return Names.path(name);
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
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** A name to be shown: {@link Names#text}, and the working directory as a dot. */
    static String text(byte[] name, Charset charset) {
        return name.length == 0 ? "." : Names.text(name, charset);
    }

    static String text(Path path, Charset charset) {
        return text(bytes(path), charset);
    }
}
