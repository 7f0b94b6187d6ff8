// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads which pages of files are in memory, without bringing any in. Files of any size and number: it maps them for a moment, a
 * part at a time, and asks about many at once. Used by one thread.
 */
public final class FilePages {
    /** Receives what is found, file by file in the order of the list; the parts of a file come in order, too. */
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
         * @param states the states; {@link PageStates#locked} is about this process's passing mapping and means nothing
         */
        void pages(FileEntry file, long firstPage, PageStates states);

        /**
         * Ends a file that was begun and did not fail.
         *
         * @param file the file
         */
        void end(FileEntry file);

        /**
         * Reports that a file cannot be looked at, or not to its end.
         *
         * @param file the file
         * @param why the reason
         */
        void failed(FileEntry file, FileLockException why);
    }

    /** How many pages are asked for at once. */
    private static final long PAGES = 1 << 16;

    /** One report that waits for its turn. */
    private static final class Part {
        final FileEntry file;
        long size = -1;
        long firstPage;
        MemoryRange range;
        FileLockException failure;
        boolean end;

        Part(FileEntry file) {
            this.file = file;
        }
    }

    private final PageLocker locker;
    private final Visitor visitor;
    private final PassingMappings mappings = new PassingMappings();
    private final List<Part> parts = new ArrayList<>();
    private long waiting;

    private FilePages(PageLocker locker, Visitor visitor) {
        this.locker = locker;
        this.visitor = visitor;
    }

    /**
     * Looks at files.
     *
     * @param locker asks the system
     * @param files the files; of each, the part that was selected
     * @param visitor receives the answers, in this thread
     * @throws FileLockException if the process has no mapping left
     */
    public static void read(PageLocker locker, List<FileEntry> files, Visitor visitor) {
        FilePages pages = new FilePages(locker, visitor);
        files.forEach(pages::read);
        pages.flush();
    }

    private void read(FileEntry file) {
        Part head = new Part(file);
        try (FileChannel channel = file.open()) {
            head.size = channel.size();
            parts.add(head);
            long start = file.start(head.size) & -locker.pageSize();
            long end = file.start(head.size) + file.bytes(head.size);
            for (long at = start; at < end; at += PassingMappings.WINDOW) {
                long length = Math.min(PassingMappings.WINDOW, end - at);
                if (!mappings.hasRoom(length)) {
                    flush();
                    mappings.giveBack();
                }
                Part part = new Part(file);
                part.firstPage = at / locker.pageSize();
                part.range = locker.rangeOf(mappings.map(channel, at, length));
                parts.add(part);
                waiting += length / locker.pageSize() + 1;
                if (waiting >= PAGES) {
                    flush();
                }
            }
            Part tail = new Part(file);
            tail.end = true;
            parts.add(tail);
            waiting++;
        } catch (IOException e) {
            Part tail = new Part(file);
            tail.failure = FileLockException.of(file.path(), e);
            parts.add(tail);
        }
    }

    private void flush() {
        List<MemoryRange> ranges = new ArrayList<>();
        for (Part each : parts) {
            if (each.range != null) {
                ranges.add(each.range);
            }
        }
        List<PageStates> states = ranges.isEmpty() ? new ArrayList<>() : locker.pageStates(ranges);
        int next = 0;
        for (Part each : parts) {
            if (each.failure != null) {
                visitor.failed(each.file, each.failure);
            } else if (each.end) {
                visitor.end(each.file);
            } else if (each.range == null) {
                visitor.file(each.file, each.size);
            } else {
                visitor.pages(each.file, each.firstPage, states.get(next++));
            }
        }
        parts.clear();
        waiting = 0;
    }
}
