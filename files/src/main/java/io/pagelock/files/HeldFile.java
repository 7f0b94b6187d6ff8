// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Represents one file of a {@link HeldFiles} and its state. Safe for use by several threads. */
public final class HeldFile {
    private final Path path;
    private final Path argument;
    private final long pageSize;
    private volatile MappedFile mapped;
    private volatile long lockedBytes;
    private volatile FileLockException problem;
    private volatile FileChange change;
    private volatile long missing;
    /** Those of this file alone; under {@link ChangePolicy#RELOCK} all of its handles. */
    private List<PageLock> handles = Collections.emptyList();

    HeldFile(MappedFile mapped, long pageSize) {
        this.path = mapped.path();
        this.argument = mapped.entry().argument();
        this.pageSize = pageSize;
        this.mapped = mapped;
    }

    /** A file that could not even be mapped. */
    HeldFile(Path path, FileLockException problem) {
        this.path = path;
        this.argument = path;
        this.pageSize = 1;
        this.problem = problem;
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
     * Reports whether the file could be mapped.
     *
     * @return false if it could not, and {@link #problem} says why
     */
    public boolean isMapped() {
        return mapped != null;
    }

    MappedFile mapped() {
        return mapped;
    }

    /**
     * Returns the size of the file, or of the selected part.
     *
     * @return bytes; 0 if it could not be mapped
     */
    public long bytes() {
        return mapped == null ? 0 : mapped.bytes();
    }

    /** What is mapped of it. */
    long pages() {
        long pages = 0;
        if (mapped != null) {
            for (MemoryRange each : mapped.segments()) {
                pages += each.alignedTo(pageSize).length() / pageSize;
            }
        }
        return pages;
    }

    /**
     * Returns how much of it is locked, or was until the files were closed.
     *
     * @return bytes, in whole pages
     */
    public long lockedBytes() {
        return lockedBytes;
    }

    /**
     * Returns why it is not locked, or not all of it.
     *
     * @return the first reason; empty if all of it is locked
     */
    public Optional<FileLockException> problem() {
        return Optional.ofNullable(problem);
    }

    /**
     * Returns what happened to it last while it was held.
     *
     * @return the change; empty if none was noticed
     */
    public Optional<FileChange> change() {
        return Optional.ofNullable(change);
    }

    /**
     * Returns how many of the held pages were not in memory at the last check.
     *
     * @return pages; 0 as far as is known
     */
    public long missingPages() {
        return missing;
    }

    void locked(long bytes) {
        lockedBytes += bytes;
    }

    /** Keeps the first problem; the later ones follow from it or repeat it. */
    void failed(FileLockException failure) {
        if (problem == null) {
            problem = failure;
        }
    }

    /** Nothing of it is locked after all. */
    void discarded() {
        lockedBytes = 0;
    }

    void changed(FileChange what) {
        change = what;
        missing = what.isRelocked() ? 0 : what.missingPages();
    }

    List<PageLock> handles() {
        return handles;
    }

    void keep(PageLock handle) {
        if (handles.isEmpty()) {
            handles = new ArrayList<>(1);
        }
        handles.add(handle);
    }

    /** Is held by other handles from now on, over another mapping. */
    void replace(MappedFile by, List<PageLock> with, long bytes) {
        mapped = by;
        handles = with;
        lockedBytes = bytes;
    }
}
