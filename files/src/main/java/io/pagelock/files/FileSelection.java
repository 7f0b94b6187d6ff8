// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * Selects files: paths of files and directories, the most important first, and rules for which files in the directories
 * to leave out. A symbolic link among the paths is followed; one inside a directory is not, unless asked for.
 * Immutable; each method returns a changed copy.
 *
 * <p>A pattern has {@code *}, {@code ?}, {@code [a-z]} and {@code [!a-z]}, as in a shell, and a backslash before a
 * character that stands for itself. A pattern without a slash is matched against the name of a file or directory, and
 * one with a slash against the whole path as it was found, where {@code **} also matches slashes. Names are compared as
 * bytes in UTF-8, whatever the locale.
 */
public final class FileSelection {
    private List<Path> paths;
    private List<Glob> includes = Collections.emptyList();
    private List<Glob> excludes = Collections.emptyList();
    private long largest = Long.MAX_VALUE;
    private boolean followLinks;
    private boolean oneFileSystem;
    private long start;
    private long length = Long.MAX_VALUE;

    private FileSelection(List<Path> paths) {
        this.paths = paths;
    }

    private FileSelection(FileSelection from) {
        paths = from.paths;
        includes = from.includes;
        excludes = from.excludes;
        largest = from.largest;
        followLinks = from.followLinks;
        oneFileSystem = from.oneFileSystem;
        start = from.start;
        length = from.length;
    }

    /**
     * Selects files, and all files in directories.
     *
     * @param paths files and directories, the most important first
     * @return the selection
     */
    public static FileSelection of(Collection<Path> paths) {
        List<Path> copy = new ArrayList<>(paths);
        copy.forEach(each -> Objects.requireNonNull(each, "path"));
        return new FileSelection(Collections.unmodifiableList(copy));
    }

    /**
     * Selects files, and all files in directories.
     *
     * @param paths files and directories, the most important first
     * @return the selection
     */
    public static FileSelection of(Path... paths) {
        return of(Arrays.asList(paths));
    }

    /**
     * Takes only those files in directories that match one of the patterns. Paths that were given explicitly always
     * count.
     *
     * @param patterns the patterns, see above; none stands for all files
     * @return a copy with these patterns instead of those before
     * @throws IllegalArgumentException if a pattern is empty or ends within brackets or after a backslash
     */
    public FileSelection include(Collection<byte[]> patterns) {
        FileSelection copy = new FileSelection(this);
        copy.includes = Glob.all(patterns);
        return copy;
    }

    /**
     * Leaves out files in directories, and whole directories, that match one of the patterns.
     *
     * @param patterns the patterns, see above
     * @return a copy with these patterns instead of those before
     * @throws IllegalArgumentException as {@link #include}
     */
    public FileSelection exclude(Collection<byte[]> patterns) {
        FileSelection copy = new FileSelection(this);
        copy.excludes = Glob.all(patterns);
        return copy;
    }

    /**
     * Leaves out files that are larger.
     *
     * @param bytes the largest size that is taken, 0 or more
     * @return a copy with this limit
     * @throws IllegalArgumentException if the size is negative
     */
    public FileSelection largest(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("the largest size is " + bytes);
        }
        FileSelection copy = new FileSelection(this);
        copy.largest = bytes;
        return copy;
    }

    /**
     * Follows symbolic links inside directories. A directory that is reached twice is listed once, so that loops end.
     *
     * @return a copy that follows them
     */
    public FileSelection followLinks() {
        FileSelection copy = new FileSelection(this);
        copy.followLinks = true;
        return copy;
    }

    /**
     * Leaves out files that are on another file system than the given directory.
     *
     * @return a copy that stays on one file system
     */
    public FileSelection oneFileSystem() {
        FileSelection copy = new FileSelection(this);
        copy.oneFileSystem = true;
        return copy;
    }

    /**
     * Takes a part of each file, rounded outward to pages. Of a shorter file, it takes the part up to the end.
     *
     * @param offset where the part begins, in bytes, 0 or more
     * @param bytes how long it is, 1 or more; {@link Long#MAX_VALUE} up to the end
     * @return a copy for this part
     * @throws IllegalArgumentException if the offset is negative or the length is not positive
     */
    public FileSelection range(long offset, long bytes) {
        if (offset < 0 || bytes <= 0) {
            throw new IllegalArgumentException("a range of " + bytes + " bytes from " + offset);
        }
        FileSelection copy = new FileSelection(this);
        copy.start = offset;
        copy.length = bytes;
        return copy;
    }

    /**
     * Looks for the files.
     *
     * @return what is there now
     */
    public FileListing list() {
        return list(() -> false);
    }

    /**
     * Looks for the files.
     *
     * @param cancelled returns whether to stop; called for each file, on this thread only
     * @return what is there now
     * @throws FileLockException with {@link FileLockException#CANCELLED}
     */
    public FileListing list(BooleanSupplier cancelled) {
        return new FileListing(this, cancelled);
    }

    List<Path> paths() {
        return paths;
    }

    boolean isExcluded(Path path) {
        return excludes.stream().anyMatch(each -> each.matches(path));
    }

    boolean isIncluded(Path path) {
        return includes.isEmpty() || includes.stream().anyMatch(each -> each.matches(path));
    }

    long largest() {
        return largest;
    }

    boolean followsLinks() {
        return followLinks;
    }

    boolean isOneFileSystem() {
        return oneFileSystem;
    }

    long start() {
        return start;
    }

    long length() {
        return length;
    }
}
