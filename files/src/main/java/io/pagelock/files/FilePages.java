// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Reads which pages of files are in memory, without bringing any in. Files of any size and number: it maps them for a moment, a
 * part at a time, and asks about many at once. Used by one thread.
 */
public final class FilePages {
    /** Receives the page states, file by file in the order of the list; the parts of a file also come in order. */
    public interface Visitor {
        /**
         * Begins a file.
         *
         * @param file the file
         * @param size its size now, in bytes
         */
        void file(FileEntry file, long size);

        /**
         * Reports the pages of a part of the file that was begun last.
         *
         * @param file the file
         * @param firstPage the number of the first page of these, from the start of the file
         * @param states the states; {@link PageStates#locked} describes a temporary mapping of this process and means
         *     nothing
         */
        void pages(FileEntry file, long firstPage, PageStates states);

        /**
         * Ends a file that was begun and did not fail.
         *
         * @param file the file
         */
        void end(FileEntry file);

        /**
         * Reports that a file cannot be read, or not to its end.
         *
         * @param file the file
         * @param why the reason
         */
        void failed(FileEntry file, FileLockException why);
    }

    /** How many pages are asked for at once, and how many files are mapped for it. */
    private static final long PAGES = 1 << 17;

    private static final int FILES = 1 << 14;

    /** A file of a batch: mapped whole, or what went wrong. */
    private static final class Part {
        final FileEntry file;
        long size;
        long firstPage;
        MemoryRange range;
        FileLockException failure;

        Part(FileEntry file) {
            this.file = file;
        }
    }

    private final PageLocker locker;
    private final Visitor visitor;
    private final PassingMappings mappings = new PassingMappings();
    private final List<Part> batch = new ArrayList<>();
    private long waiting;

    private FilePages(PageLocker locker, Visitor visitor) {
        this.locker = locker;
        this.visitor = visitor;
    }

    /**
     * Reads the states of the pages of files.
     *
     * @param locker asks the system
     * @param files the files; only the selected part of each is read
     * @param visitor receives the answers, on this thread
     * @throws FileLockException if the process has no mapping left
     */
    public static void read(PageLocker locker, List<FileEntry> files, Visitor visitor) {
        FilePages pages = new FilePages(locker, visitor);
        files.forEach(pages::read);
        pages.flush();
    }

    /**
     * Brings files into memory without locking them, by reading the missing pages. Small files are read in parallel.
     * The kernel may drop the pages again at any time.
     *
     * @param locker reports which pages are missing
     * @param files the files; only the selected part of each is read
     * @param failed receives the reason if a file could not be read
     * @param progress receives how much is done, in bytes, from this thread
     * @param cancelled returns whether to stop; may be called by any thread
     * @return how many bytes were read
     * @throws FileLockException with {@link FileLockException#CANCELLED}, or if the process has no mapping left
     */
    public static long bringIn(
            PageLocker locker,
            List<FileEntry> files,
            Consumer<FileLockException> failed,
            FileLockOptions.Progress progress,
            BooleanSupplier cancelled) {
        BringIn work = new BringIn(locker.pageSize(), files, failed, progress, cancelled);
        read(locker, files, work);
        work.flush();
        return work.bytes();
    }

    /** Small files are mapped many at a time, side by side. */
    private void read(FileEntry file) {
        if (file.bytes() > PassingMappings.WINDOW / 8) {
            flush();
            readLarge(file);
            return;
        }
        takeRoom(file.bytes());
        batch.add(new Part(file));
        waiting += file.bytes() / locker.pageSize() + 1;
        if (waiting >= PAGES || batch.size() >= FILES) {
            flush();
        }
    }

    private void takeRoom(long bytes) {
        if (!mappings.take(bytes)) {
            flush();
            mappings.giveBack();
            mappings.take(bytes);
        }
    }

    private void readLarge(FileEntry file) {
        try {
            long size = size(file);
            visitor.file(file, size);
            long end = file.start(size) + file.bytes(size);
            for (long at = file.firstPage(size, locker.pageSize()); at < end; at += PassingMappings.WINDOW) {
                long length = Math.min(PassingMappings.WINDOW, end - at);
                takeRoom(length);
                visitor.pages(file, at / locker.pageSize(), locker.pageStates(map(file, at, length)));
            }
            visitor.end(file);
        } catch (IOException e) {
            visitor.failed(file, FileLockException.of(file.path(), e));
        }
    }

    private static long size(FileEntry file) throws IOException {
        return Uninterrupted.run(() -> {
            try (FileChannel channel = file.open()) {
                return channel.size();
            }
        });
    }

    private static ByteBuffer map(FileEntry file, long at, long length) throws IOException {
        return Uninterrupted.run(() -> {
            try (FileChannel channel = file.open()) {
                return channel.map(FileChannel.MapMode.READ_ONLY, at, length);
            }
        });
    }

    private void map(Part part) {
        try {
            Uninterrupted.run(() -> mapOnce(part));
        } catch (IOException e) {
            part.failure = FileLockException.of(part.file.path(), e);
        }
    }

    private Part mapOnce(Part part) throws IOException {
        try (FileChannel channel = part.file.open()) {
            part.size = channel.size();
            long start = part.file.firstPage(part.size, locker.pageSize());
            // One that has grown beyond its room since it was listed is looked at up to there.
            long end =
                    Math.min(part.file.start(part.size) + part.file.bytes(part.size), start + PassingMappings.WINDOW);
            part.firstPage = start / locker.pageSize();
            if (end > start) {
                part.range = locker.rangeOf(channel.map(FileChannel.MapMode.READ_ONLY, start, end - start));
            }
        }
        return part;
    }

    private void flush() {
        Crew.run(batch.size(), i -> map(batch.get(i)));
        List<MemoryRange> ranges = new ArrayList<>();
        for (Part each : batch) {
            if (each.range != null) {
                ranges.add(each.range);
            }
        }
        List<PageStates> states = ranges.isEmpty() ? new ArrayList<>() : locker.pageStates(ranges);
        int next = 0;
        for (Part each : batch) {
            if (each.failure != null) {
                visitor.failed(each.file, each.failure);
                continue;
            }
            visitor.file(each.file, each.size);
            if (each.range != null) {
                visitor.pages(each.file, each.firstPage, states.get(next++));
            }
            visitor.end(each.file);
        }
        batch.clear();
        waiting = 0;
    }
}
