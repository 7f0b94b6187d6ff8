// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Renames a package of a jar as shading plugins do: in the names of files and classes and in every string constant that looks like
 * one of them. A constant pool holds all of these as entries of one kind.
 */
final class Relocation {
    private static final int UTF8 = 1;

    private Relocation() {}

    /** Writes a copy of the jar in which {@code io.pagelock} is a package below the prefix. */
    static Path relocate(Path jar, String prefix, Path directory) throws IOException {
        return relocate(jar, "io.pagelock", prefix, directory);
    }

    /** Writes a copy of the jar in which a package, and what is in the folder of its name, is below the prefix. */
    static Path relocate(Path jar, String renamed, String prefix, Path directory) throws IOException {
        Path copy = directory.resolve(prefix + "-" + jar.getFileName());
        try (JarFile from = new JarFile(jar.toFile());
                OutputStream file = Files.newOutputStream(copy);
                ZipOutputStream to = new ZipOutputStream(file)) {
            for (JarEntry entry : Collections.list(from.entries())) {
                if (entry.isDirectory() || entry.getName().equals("module-info.class")) {
                    continue;
                }
                byte[] bytes = from.getInputStream(entry).readAllBytes();
                String name = renamed(entry.getName(), renamed, prefix);
                if (name.endsWith(".class")) {
                    bytes = classFile(bytes, renamed, prefix);
                } else if (name.startsWith("META-INF/services/")) {
                    bytes = renamed(new String(bytes, StandardCharsets.UTF_8), renamed, prefix)
                            .getBytes(StandardCharsets.UTF_8);
                }
                to.putNextEntry(new ZipEntry(name));
                to.write(bytes);
                to.closeEntry();
            }
        }
        return copy;
    }

    private static String renamed(String text, String renamed, String prefix) {
        String path = renamed.replace('.', '/');
        return text.replace(path, prefix + "/" + path).replace(renamed, prefix + "." + renamed);
    }

    private static byte[] classFile(byte[] bytes, String renamed, String prefix) throws IOException {
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
                DataOutputStream out = new DataOutputStream(result)) {
            out.write(in.readNBytes(8));
            int count = in.readUnsignedShort();
            out.writeShort(count);
            for (int i = 1; i < count; i++) {
                int kind = in.readUnsignedByte();
                out.writeByte(kind);
                if (kind == UTF8) {
                    out.writeUTF(renamed(in.readUTF(), renamed, prefix));
                    continue;
                }
                out.write(in.readNBytes(size(kind)));
                // A long or double takes two numbers.
                i += kind == 5 || kind == 6 ? 1 : 0;
            }
            out.write(in.readAllBytes());
        }
        return result.toByteArray();
    }

    /** See the Java Virtual Machine Specification, 4.4. */
    private static int size(int kind) {
        switch (kind) {
            case 3, 4, 9, 10, 11, 12, 17, 18:
                return 4;
            case 5, 6:
                return 8;
            case 7, 8, 16, 19, 20:
                return 2;
            case 15:
                return 3;
            default:
                throw new IllegalArgumentException("constant of unknown kind " + kind);
        }
    }
}
