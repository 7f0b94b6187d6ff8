// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;

/** Represents a regular file as it was listed, and the selected part of it. Immutable. */
public final class FileEntry {
    private final Path path;
    private final Path argument;
    private final Object key;
    private final long size;
    private final FileTime modified;
    private final FileSelection selection;

    FileEntry(Path path, Path argument, BasicFileAttributes attributes, FileSelection selection) {
        this.path = path;
        this.argument = argument;
        this.key = key(path, attributes);
        this.size = attributes.size();
        this.modified = attributes.lastModifiedTime();
        this.selection = selection;
    }

    /** Returns what stays the same when the file is renamed, and differs when another takes its name. */
    static Object key(Path path, BasicFileAttributes attributes) {
        Object key = attributes.fileKey();
        return key == null ? path.toAbsolutePath().normalize() : key;
    }

    Object key() {
        return key;
    }

    FileTime modified() {
        return modified;
    }

    /** The file that has this name now. */
    FileEntry again() throws IOException {
        BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
        if (!now.isRegularFile()) {
            throw new FileSystemException(path.toString(), null, "no longer a regular file");
        }
        return new FileEntry(path, argument, now, selection);
    }

    /**
     * Returns where the file was found.
     *
     * @return its path
     */
    public Path path() {
        return path;
    }

    /**
     * Returns the path of the selection under which it was found.
     *
     * @return the same as {@link #path}, or a directory
     */
    public Path argument() {
        return argument;
    }

    /**
     * Returns the size of the file when it was listed.
     *
     * @return bytes
     */
    public long size() {
        return size;
    }

    /**
     * Returns where the selected part begins.
     *
     * @return an offset in bytes, at most the size
     */
    public long start() {
        return start(size);
    }

    /**
     * Returns the length of the selected part.
     *
     * @return bytes; all of the file unless the selection says otherwise
     */
    public long bytes() {
        return bytes(size);
    }

    long start(long now) {
        return Math.min(selection.start(), now);
    }

    /** Where the page of the first byte begins; of a part without bytes, where that would be: the end of the file is in a page, too. */
    long firstPage(long now, long pageSize) {
        return bytes(now) == 0 ? start(now) : start(now) & -pageSize;
    }

    long bytes(long now) {
        return Math.min(selection.length(), now - start(now));
    }

    /**
     * Opens the file for reading.
     *
     * @return a channel, to be closed by the caller
     * @throws NoSuchFileException if it is gone, or another file has its name
     * @throws IOException if it cannot be opened
     */
    public FileChannel open() throws IOException {
        // Looked at again right before opening: to open a fifo that took its place would wait for a writer.
        BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
        if (!now.isRegularFile() || !key(path, now).equals(key)) {
            throw new NoSuchFileException(path.toString(), null, "another file took its place");
        }
        return FileChannel.open(path, StandardOpenOption.READ);
    }

    @Override
    public String toString() {
        return FileLockException.name(path);
    }
}
