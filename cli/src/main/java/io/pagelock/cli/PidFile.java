// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** The file with the number of this process, which is there while the files are held. */
final class PidFile implements AutoCloseable {
    /** Longer than any number of a process and its line end. */
    private static final int LONGEST = 32;

    private final Path path;
    private final byte[] content;

    private PidFile(Path path, byte[] content) {
        this.path = path;
        this.content = content;
    }

    /**
     * Writes the file: whole or not at all, not through a link that another user placed, and not in place of a device.
     *
     * @param path null for none
     * @throws Failure if it cannot be written, or something other than a pid file is there, which a mistake must not destroy
     */
    static PidFile write(Path path) {
        if (path == null) {
            return new PidFile(null, null);
        }
        byte[] content = (pid() + "\n").getBytes(StandardCharsets.US_ASCII);
        try {
            checkThatNothingIsLost(path);
            // One that a killed process left may have the same number: each container has a process 1.
            Path whole = path.resolveSibling(".pagelock-" + pid() + "-" + Long.toHexString(System.nanoTime()));
            Files.write(whole, content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                Files.move(whole, path, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(whole);
            }
            return new PidFile(path, content);
        } catch (IOException e) {
            throw Failure.of("--pid-file: cannot write " + FileNames.text(path, Console.localeCharset()), e);
        }
    }

    private static void checkThatNothingIsLost(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS) || Files.isSymbolicLink(path)) {
            return;
        }
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileSystemException(path.toString(), null, "it is no regular file");
        }
        boolean isPidFile = Files.size(path) <= LONGEST;
        for (byte each : isPidFile ? Files.readAllBytes(path) : new byte[0]) {
            isPidFile &= each >= '0' && each <= '9' || each == '\n' || each == '\r' || each == ' ';
        }
        if (!isPidFile) {
            throw new FileSystemException(path.toString(), null, "something other than a pid file is there");
        }
    }

    private static String pid() {
        try {
            return Files.readSymbolicLink(Paths.get("/proc/self")).toString();
        } catch (IOException | UnsupportedOperationException e) {
            throw new Failure(
                    "NOT_SUPPORTED", "--pid-file: without /proc, the number of this process is unknown", "", e);
        }
    }

    /** Removes it, unless it is that of another process by now. */
    @Override
    public void close() {
        try {
            // What took its name may be of any kind and size.
            if (path != null
                    && Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
                    && Files.size(path) == content.length
                    && Arrays.equals(content, Files.readAllBytes(path))) {
                Files.delete(path);
            }
        } catch (IOException e) {
            // It is gone, or stays; there is nothing to be done about it.
            return;
        }
    }
}
