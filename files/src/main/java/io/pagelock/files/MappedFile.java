// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.spi.Privileged;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A file, or a part of one, mapped read-only, in segments because one buffer ends at 2 GiB. Its bytes are never read from Java:
 * where the file has shrunk, that is SIGBUS.
 */
final class MappedFile {
    /** The size of a segment; a power of two far above any page size. */
    static final long SEGMENT = 1L << 30;

    private final FileEntry entry;
    private final long size;
    /** Kept here, since the ranges of some other locker may not keep them. */
    private final List<MappedByteBuffer> buffers;

    private final List<MemoryRange> segments;
    private Object status;

    private MappedFile(FileEntry entry, long size, List<MappedByteBuffer> buffers, PageLocker locker) {
        this.entry = entry;
        this.size = size;
        this.buffers = buffers;
        this.segments = new ArrayList<>(buffers.size());
        for (MappedByteBuffer each : buffers) {
            segments.add(locker.rangeOf(each));
        }
    }

    /**
     * Maps a file as it is now, which may not be as it was listed.
     *
     * @throws IOException if it cannot be opened or mapped, or is another file by now
     */
    static MappedFile map(FileEntry entry, PageLocker locker) throws IOException {
        return Uninterrupted.run(() -> mapOnce(entry, locker));
    }

    private static MappedFile mapOnce(FileEntry entry, PageLocker locker) throws IOException {
        try (FileChannel channel = entry.open()) {
            while (true) {
                long size = channel.size();
                try {
                    // From the start of a page, so that every step of a lock begins and ends with one.
                    long start = entry.firstPage(size, locker.pageSize());
                    long end = entry.start(size) + entry.bytes(size);
                    return new MappedFile(entry, size, map(channel, start, end - start), locker);
                } catch (IOException e) {
                    if (!channel.isOpen() || channel.size() >= size) {
                        throw e;
                    }
                    // It shrank in between; the buffers so far are garbage and the next try takes the new size.
                }
            }
        }
    }

    /**
     * Reports whether something that is mapped was not in memory when the kernel was asked; false if it does not answer. Asks for
     * these mappings alone: mincore(2). For {@link PageLocker#pageStates}, all mappings would be listed.
     */
    boolean isMissing() {
        try {
            return !buffers.stream().allMatch(MappedByteBuffer::isLoaded);
        } catch (Exception e) {
            // An IOException that Java does not declare, as where a filter refuses the call.
            return false;
        }
    }

    /** Reads what is mapped; what goes wrong shows when it is locked. */
    void readAhead() {
        ByteBuffer some = ByteBuffer.allocate((int) Math.min(bytes(), 256 << 10));
        try (FileChannel channel = entry.open()) {
            long end = entry.start(size) + bytes();
            for (long at = entry.start(size), length = 0; at < end && length >= 0; at += length) {
                some.clear();
                length = channel.read(some, at);
            }
        } catch (IOException e) {
            // The lock explains it.
            return;
        }
    }

    private static List<MappedByteBuffer> map(FileChannel channel, long start, long bytes) throws IOException {
        List<MappedByteBuffer> buffers = new ArrayList<>(1);
        for (long at = 0; at < bytes; at += SEGMENT) {
            buffers.add(channel.map(FileChannel.MapMode.READ_ONLY, start + at, Math.min(SEGMENT, bytes - at)));
        }
        return buffers;
    }

    static long segmentsFor(long bytes) {
        return bytes / SEGMENT + (bytes % SEGMENT == 0 ? 0 : 1);
    }

    FileEntry entry() {
        return entry;
    }

    Path path() {
        return entry.path();
    }

    /** What was asked for of the file when it was mapped. */
    long bytes() {
        return entry.bytes(size);
    }

    List<MemoryRange> segments() {
        return Collections.unmodifiableList(segments);
    }

    /** What happened to the file since it was listed, as far as it matters to whoever wanted it in memory. */
    Optional<Change> change() {
        try {
            BasicFileAttributes now = Files.readAttributes(path(), BasicFileAttributes.class);
            if (!now.isRegularFile() || !Objects.equals(FileEntry.key(path(), now), entry.key())) {
                return Optional.of(new Change(FileChange.Kind.REPLACED, "was replaced by another file"));
            }
            if (now.size() < size) {
                return Optional.of(
                        new Change(FileChange.Kind.SHRANK, "shrank from " + size + " to " + now.size() + " bytes"));
            }
            if (now.size() > size) {
                return Optional.of(
                        new Change(FileChange.Kind.GREW, "grew from " + size + " to " + now.size() + " bytes"));
            }
            return now.lastModifiedTime().equals(entry.modified())
                    ? Optional.empty()
                    : Optional.of(new Change(FileChange.Kind.WRITTEN, "was written to"));
        } catch (NoSuchFileException e) {
            return Optional.of(new Change(FileChange.Kind.VANISHED, "vanished"));
        } catch (IOException | SecurityException e) {
            // As where a directory of its path became a file, or may not be entered any more.
            return Optional.of(new Change(
                    FileChange.Kind.UNREADABLE, "can no longer be looked at (" + FileLockException.why(e) + ")"));
        }
    }

    /** What became of a file. */
    static final class Change {
        final FileChange.Kind kind;
        final String what;

        Change(FileChange.Kind kind, String what) {
            this.kind = kind;
            this.what = what;
        }
    }

    /**
     * Whether anything was done to the file since this was asked last, be it only to its permissions. Yes the first time,
     * which saves to look at each of many files as it is mapped.
     */
    boolean isTouched() {
        Object before = status;
        status = statusTime(path());
        return before == null || !Objects.equals(before, status);
    }

    /** The time that no program can set; 0 where Java does not show it. */
    private static Object statusTime(Path path) {
        try {
            return Privileged.read(() -> Files.getAttribute(path, "unix:ctime"));
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return 0;
        }
    }
}
