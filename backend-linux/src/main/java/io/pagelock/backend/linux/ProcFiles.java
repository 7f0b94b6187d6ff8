// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.OptionalLong;

/** The file system as far as this backend reads it; tests supply their own. */
interface ProcFiles {
    /** Opens a file for reading, unbuffered, so that skipping seeks. */
    InputStream open(String name) throws IOException;

    /** The text of a symbolic link. */
    String readLink(String name) throws IOException;

    /**
     * A number about a file, if the name still means that file.
     *
     * @param attribute {@code size} or {@code uid}
     */
    OptionalLong attribute(String name, long inode, String attribute);

    /** The files of this system. */
    ProcFiles SYSTEM = new ProcFiles() {
        @Override
        public InputStream open(String name) throws IOException {
            return new FileInputStream(name);
        }

        @Override
        public String readLink(String name) throws IOException {
            return Files.readSymbolicLink(Paths.get(name)).toString();
        }

        @Override
        public OptionalLong attribute(String name, long inode, String attribute) {
            try {
                Path path = Paths.get(name);
                if (((Number) Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS)).longValue() != inode) {
                    return OptionalLong.empty();
                }
                Object value = Files.getAttribute(path, "unix:" + attribute, LinkOption.NOFOLLOW_LINKS);
                return OptionalLong.of(((Number) value).longValue());
            } catch (IOException | RuntimeException e) {
                return OptionalLong.empty();
            }
        }
    };
}
