// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.linux.proc.KernelText;
import io.pagelock.spi.Names;
import io.pagelock.spi.Privileged;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.PrivilegedExceptionAction;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The file system as far as this backend reads it; tests supply their own. In names each character stands for one byte. */
interface ProcFiles {
    /** Opens a file for reading, unbuffered. Skipping seeks if the name is ASCII. */
    InputStream open(String name) throws IOException;

    /** The text of a symbolic link. */
    String readLink(String name) throws IOException;

    /** Looks at the file that has this name now; a link is not followed. Empty if it cannot be looked at. */
    Optional<FileFacts> file(String name);

    /** Whether this user may write a file, by its rights and the file system's. */
    boolean isWritable(String name);

    /**
     * Returns how much room the file system of memory has that holds a file, where even to read a hole takes a page: tmpfs(5).
     * Empty for any other file system, or if it does not say.
     */
    OptionalLong roomInMemory(String name);

    /** What is known of a file, as in maps and stat(2). */
    final class FileFacts {
        /** Major number in the upper half, minor in the lower. */
        final long device;

        final long inode;
        final long owner;
        final long size;

        FileFacts(long device, long inode, long owner, long size) {
            this.device = device;
            this.inode = inode;
            this.owner = owner;
            this.size = size;
        }
    }

    /** The files of this system. */
    ProcFiles SYSTEM = new ProcFiles() {
        @Override
        public InputStream open(String name) throws IOException {
            return Privileged.read(new PrivilegedExceptionAction<InputStream>() {
                @Override
                public InputStream run() throws IOException {
                    // Java encodes a text by the locale, which may lack what the name has.
                    return isAscii(name) ? new FileInputStream(name) : Files.newInputStream(path(name));
                }
            });
        }

        private boolean isAscii(String name) {
            for (int i = 0; i < name.length(); i++) {
                if (name.charAt(i) > 0x7f) {
                    return false;
                }
            }
            return true;
        }

        private Path path(String name) {
            return Names.path(KernelText.bytes(name));
        }

        @Override
        public String readLink(String name) throws IOException {
            return Privileged.read(new PrivilegedExceptionAction<String>() {
                @Override
                public String run() throws IOException {
                    return Files.readSymbolicLink(Paths.get(name)).toString();
                }
            });
        }

        @Override
        public Optional<FileFacts> file(String name) {
            try {
                Map<String, Object> all = Privileged.read(new PrivilegedExceptionAction<Map<String, Object>>() {
                    @Override
                    public Map<String, Object> run() throws IOException {
                        return Files.readAttributes(path(name), "unix:dev,ino,uid,size", LinkOption.NOFOLLOW_LINKS);
                    }
                });
                long device = number(all, "dev");
                // gnu_dev_major() and gnu_dev_minor() of the C libraries.
                long major = device >>> 8 & 0xfff | device >>> 32 & 0xfffff000L;
                long minor = device & 0xff | device >>> 12 & 0xffffff00L;
                return Optional.of(new FileFacts(
                        major << 32 | minor,
                        number(all, "ino"),
                        number(all, "uid") & 0xffffffffL,
                        number(all, "size")));
            } catch (IOException | RuntimeException e) {
                return Optional.empty();
            }
        }

        private long number(Map<String, Object> all, String attribute) {
            return ((Number) all.get(attribute)).longValue();
        }

        @Override
        public boolean isWritable(String name) {
            try {
                return Privileged.read(new PrivilegedExceptionAction<Boolean>() {
                    @Override
                    public Boolean run() {
                        return Files.isWritable(path(name));
                    }
                });
            } catch (IOException | RuntimeException e) {
                return false;
            }
        }

        @Override
        public OptionalLong roomInMemory(String name) {
            try {
                return Privileged.read(new PrivilegedExceptionAction<OptionalLong>() {
                    @Override
                    public OptionalLong run() throws IOException {
                        FileStore store = Files.getFileStore(path(name));
                        return store.type().equals("tmpfs")
                                ? OptionalLong.of(store.getUnallocatedSpace())
                                : OptionalLong.empty();
                    }
                });
            } catch (IOException | RuntimeException e) {
                return OptionalLong.empty();
            }
        }
    };
}
