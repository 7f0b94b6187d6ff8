// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.spi.Names;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * File names as what they are on Unix: bytes. A {@link Path} keeps them, but its text depends on the locale and loses what
 * that cannot express; the way round it is the path's URI, which is made of the bytes alone.
 */
final class FileNames {
    static final String EMPTY = "an empty name is not a file";

    /** For options. Java would take an empty name for the working directory. */
    static final class Parser implements ITypeConverter<String> {
        @Override
        public String convert(String name) {
            if (name.isEmpty()) {
                throw new TypeConversionException(EMPTY);
            }
            return name;
        }
    }

    private FileNames() {}

    /** The path of a name, byte by byte. */
    static Path path(byte[] name) {
        return Names.path(name);
    }

    /** The bytes of a path. */
    static byte[] bytes(Path path) {
        return Names.bytes(path);
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
