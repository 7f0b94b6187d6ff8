// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.PageStates;
import io.pagelock.Tristate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Reads the parts of files that are not in memory, many at a time. */
final class BringIn implements FilePages.Visitor {
    private static final long MOST = 16 << 20;
    private static final int BUFFER = 256 << 10;
    private static final long BATCH_BYTES = 64 << 20;
    private static final int BATCH = 1024;

    /** A part of a file to read. */
    private static final class Run {
        final FileEntry file;
        final long length;
        /** Where to go on. */
        long at;

        private final long end;
        FileLockException failure;

        Run(FileEntry file, long start, long length) {
            this.file = file;
            this.length = length;
            at = start;
            end = start + length;
        }
    }

    private final long pageSize;
    private final Consumer<FileLockException> failed;
    private final FileLockOptions.Progress progress;
    private final BooleanSupplier cancelled;
    private final long total;
    private final AtomicLong bytes = new AtomicLong();
    private final List<Run> batch = new ArrayList<>();
    private long waiting;
    private long done;

    BringIn(
            long pageSize,
            List<FileEntry> files,
            Consumer<FileLockException> failed,
            FileLockOptions.Progress progress,
            BooleanSupplier cancelled) {
        this.pageSize = pageSize;
        this.failed = failed;
        this.progress = progress;
        this.cancelled = cancelled;
        this.total = files.stream().mapToLong(FileEntry::bytes).sum();
        progress.at(0, total);
    }

    long bytes() {
        return bytes.get();
    }

    @Override
    public void file(FileEntry file, long size) {
        // Its pages follow.
    }

    @Override
    public void pages(FileEntry file, long firstPage, PageStates states) {
        for (int from = 0, to; from < states.pageCount(); from = to + 1) {
            for (to = from; to < states.pageCount() && states.resident(to) != Tristate.YES; to++) {
                continue;
            }
            for (long at = from; at < to; at += MOST / pageSize) {
                add(new Run(file, (firstPage + at) * pageSize, Math.min(MOST, (to - at) * pageSize)));
            }
        }
        done += states.pageCount() * pageSize;
    }

    private void add(Run run) {
        batch.add(run);
        waiting += run.length;
        if (waiting >= BATCH_BYTES || batch.size() >= BATCH) {
            flush();
        }
    }

    @Override
    public void end(FileEntry file) {
        // Its runs wait for their turn.
    }

    @Override
    public void failed(FileEntry file, FileLockException why) {
        failed.accept(why);
    }

    void flush() {
        Crew.run(batch.size(), i -> read(batch.get(i)));
        FileEntry last = null;
        for (Run each : batch) {
            if (each.failure != null && each.file != last) {
                failed.accept(each.failure);
                last = each.file;
            }
        }
        batch.clear();
        waiting = 0;
        progress.at(Math.min(done, total), total);
    }

    private void read(Run run) {
        try {
            Uninterrupted.run(() -> readOn(run));
        } catch (IOException e) {
            run.failure = FileLockException.of(run.file.path(), e);
        }
    }

    private Run readOn(Run run) throws IOException {
        ByteBuffer some = ByteBuffer.allocate((int) Math.min(BUFFER, run.length));
        try (FileChannel channel = run.file.open()) {
            while (run.at < run.end) {
                if (cancelled.getAsBoolean()) {
                    throw Locking.cancelled();
                }
                some.clear();
                int length = channel.read(some, run.at);
                if (length < 0) {
                    break;
                }
                run.at += length;
                bytes.addAndGet(length);
            }
        }
        return run;
    }
}
