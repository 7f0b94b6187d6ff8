// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A file mapped read-only, in segments because one buffer ends at 2 GiB. Its bytes are never read from Java: where the file
 * has shrunk, that is SIGBUS.
 */
final class MappedFile {
    /** The size of a segment; a power of two far above any page size. */
    static final long SEGMENT = 1L << 30;

    private final FileList.Entry entry;
    private final long bytes;
    private final List<MappedByteBuffer> segments;
    private final FileTime modified;
    private Object status;

    private MappedFile(
            FileList.Entry entry, long bytes, List<MappedByteBuffer> segments, FileTime modified, Object status) {
        this.entry = entry;
        this.bytes = bytes;
        this.segments = segments;
        this.modified = modified;
        this.status = status;
    }

    /**
     * Maps a file as it is now, which may not be as it was listed.
     *
     * @throws IOException if it cannot be opened or mapped, or is another file by now
     */
    static MappedFile map(FileList.Entry entry) throws IOException {
        try (FileChannel channel = open(entry)) {
            BasicFileAttributes now = Files.readAttributes(entry.path(), BasicFileAttributes.class);
            Object status = statusTime(entry.path());
            while (true) {
                long size = channel.size();
                try {
                    return new MappedFile(entry, size, map(channel, size), now.lastModifiedTime(), status);
                } catch (IOException e) {
                    if (channel.size() >= size) {
                        throw e;
                    }
                    // It shrank in between; the buffers so far are garbage and the next try takes the new size.
                }
            }
        }
    }

    /**
     * Opens a file that was listed.
     *
     * @throws IOException if it cannot be opened, or is another file by now
     */
    static FileChannel open(FileList.Entry entry) throws IOException {
        // Looked at again right before opening: to open a fifo that took its place would wait for a writer.
        BasicFileAttributes now = Files.readAttributes(entry.path(), BasicFileAttributes.class);
        if (!now.isRegularFile() || !FileList.key(entry.path(), now).equals(entry.key())) {
            throw new NoSuchFileException(entry.path().toString(), null, "another file took its place");
        }
        return FileChannel.open(entry.path(), StandardOpenOption.READ);
    }

    private static List<MappedByteBuffer> map(FileChannel channel, long size) throws IOException {
        List<MappedByteBuffer> segments = new ArrayList<>(1);
        for (long start = 0; start < size; start += SEGMENT) {
            segments.add(channel.map(FileChannel.MapMode.READ_ONLY, start, Math.min(SEGMENT, size - start)));
        }
        return segments;
    }

    static long segmentsFor(long bytes) {
        return (bytes + SEGMENT - 1) / SEGMENT;
    }

    FileList.Entry entry() {
        return entry;
    }

    Path path() {
        return entry.path();
    }

    /** The size when it was mapped. */
    long bytes() {
        return bytes;
    }

    List<MappedByteBuffer> segments() {
        return Collections.unmodifiableList(segments);
    }

    /** What happened to the file since it was mapped, as far as it matters to whoever wanted it in memory. */
    Optional<String> change() {
        try {
            BasicFileAttributes now = Files.readAttributes(path(), BasicFileAttributes.class);
            if (!Objects.equals(FileList.key(path(), now), entry.key())) {
                return Optional.of("was replaced by another file");
            }
            if (now.size() != bytes) {
                return Optional.of(
                        (now.size() < bytes ? "shrank from " : "grew from ") + bytes + " to " + now.size() + " bytes");
            }
            return now.lastModifiedTime().equals(modified) ? Optional.empty() : Optional.of("was written to");
        } catch (NoSuchFileException e) {
            return Optional.of("vanished");
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Whether anything was done to the file since this was asked last, be it only to its permissions. */
    boolean isTouched() {
        Object before = status;
        status = statusTime(path());
        return !Objects.equals(before, status);
    }

    /** The time that no program can set; null where Java does not show it. */
    private static Object statusTime(Path path) {
        try {
            return Files.getAttribute(path, "unix:ctime");
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return null;
        }
    }
}
