// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import java.nio.file.Path;
import java.util.Optional;

/** Reports what happened to a file while it was held. Immutable. */
public final class FileChange {
    /** Says what happened. More may be added in later versions. */
    public enum Kind {
        /** Another file has taken the name; the held one stays locked, though perhaps nobody reads it any more. */
        REPLACED,
        /** The name is gone; the held file stays locked. */
        VANISHED,
        /** The file can no longer be looked at, so further changes go unnoticed; the held one stays locked. */
        UNREADABLE,
        /** The file was truncated. */
        SHRANK,
        /** The file has become longer; the added part is not locked. */
        GREW,
        /** The file was written to. */
        WRITTEN,
        /** Pages are no longer in memory, for example after a hole was punched or a write bypassed the page cache. */
        LOST_PAGES
    }

    private final HeldFile file;
    private final Kind kind;
    private final String what;
    private final long missingPages;
    private final boolean relocked;
    private final FileLockException failure;

    FileChange(HeldFile file, Kind kind, String what, long missingPages, boolean relocked, FileLockException failure) {
        this.file = file;
        this.kind = kind;
        this.what = what;
        this.missingPages = missingPages;
        this.relocked = relocked;
        this.failure = failure;
    }

    /**
     * Returns the file concerned.
     *
     * @return its path
     */
    public Path path() {
        return file.path();
    }

    /**
     * Returns what happened.
     *
     * @return the kind of change
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Returns what happened in words that follow the name of the file.
     *
     * @return for example {@code shrank from 8192 to 10 bytes}
     */
    public String what() {
        return what;
    }

    /**
     * Returns how many of the held pages were not in memory when the change was noticed.
     *
     * @return pages
     */
    public long missingPages() {
        return missingPages;
    }

    /**
     * Returns how many pages of the file are held.
     *
     * @return pages
     */
    public long pages() {
        return file.pages();
    }

    /**
     * Reports whether the file was mapped and locked again as it is now.
     *
     * @return true under {@link ChangePolicy#RELOCK}, if it succeeded
     */
    public boolean isRelocked() {
        return relocked;
    }

    /**
     * Returns why the file could not be locked again.
     *
     * @return the reason, under {@link ChangePolicy#RELOCK} only
     */
    public Optional<FileLockException> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public String toString() {
        return FileLockException.name(path()) + " " + what;
    }
}
