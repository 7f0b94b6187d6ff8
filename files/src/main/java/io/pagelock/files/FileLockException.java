// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.Forecast;
import io.pagelock.PageLockException;
import io.pagelock.spi.Names;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Reports why files could not be locked, or why one of them was not. The reason is the name of a
 * {@link io.pagelock.Reason} if the kernel or a limit refused the lock, and otherwise one of the constants here; more
 * may be added in later versions.
 */
public final class FileLockException extends RuntimeException {
    /** There is no such file. */
    public static final String NO_SUCH_FILE = "NO_SUCH_FILE";
    /** This user may not read the file. */
    public static final String ACCESS_DENIED = "ACCESS_DENIED";
    /** The path is neither a regular file nor a directory. */
    public static final String NOT_A_FILE = "NOT_A_FILE";
    /** The file was removed between its listing and its mapping. */
    public static final String VANISHED = "VANISHED";
    /** It is a symbolic link inside a directory, which is not followed unless asked for. */
    public static final String SYMBOLIC_LINK = "SYMBOLIC_LINK";
    /** It is another name of a file or directory that was listed before. */
    public static final String SAME_FILE = "SAME_FILE";
    /** It is larger than asked for. */
    public static final String TOO_LARGE = "TOO_LARGE";
    /** It is on another file system than the directory under which it was found. */
    public static final String OTHER_FILE_SYSTEM = "OTHER_FILE_SYSTEM";
    /** The preceding files use up the budget. */
    public static final String OVER_BUDGET = "OVER_BUDGET";
    /** The system allows this process no further mapping. */
    public static final String TOO_MANY_MAPPINGS = "TOO_MANY_MAPPINGS";
    /** The process has no address space left. */
    public static final String NO_ADDRESS_SPACE = "NO_ADDRESS_SPACE";
    /** The file could not be opened, mapped or read. */
    public static final String IO_ERROR = "IO_ERROR";
    /** The call was cancelled. */
    public static final String CANCELLED = "CANCELLED";
    /** A file changed while it was held, and the request was to fail then. */
    public static final String CHANGED = "CHANGED";

    private static final long serialVersionUID = 1L;

    /** The reason. */
    private final String reason;
    /** What to do, the most likely first. */
    private final String[] remedies;

    private final transient Path path;
    private transient List<HeldFile> files = Collections.emptyList();

    FileLockException(String reason, Path path, String message, List<String> remedies, Throwable cause) {
        super(message, cause);
        this.reason = reason;
        this.path = path;
        this.remedies = remedies.toArray(new String[0]);
    }

    FileLockException(String reason, Path path, String message, Throwable cause, String... remedies) {
        this(reason, path, message, Arrays.asList(remedies), cause);
    }

    /** Without a stack trace, since there may be very many where memory has run out. */
    private FileLockException(FileLockException first, Path path, String message) {
        super(message, null, false, false);
        this.reason = first.reason;
        this.path = path;
        this.remedies = first.remedies;
    }

    /** The same failure as of an earlier file, for the same reason. */
    static FileLockException following(FileLockException first, Path path, String message) {
        return new FileLockException(first, path, message);
    }

    static FileLockException of(Path path, String what, PageLockException e, List<String> remedies) {
        return new FileLockException(e.reason().name(), path, what + ": " + e.summary(), remedies, e);
    }

    static FileLockException of(String what, Forecast forecast) {
        return new FileLockException(
                forecast.reason().map(Enum::name).orElse("UNKNOWN"),
                null,
                what + ": " + forecast.reason().map(Object::toString).orElse("") + ": " + forecast.detail(),
                forecast.remedies(),
                null);
    }

    static FileLockException of(Path path, IOException e) {
        String name = name(path);
        if (e instanceof NoSuchFileException) {
            return new FileLockException(NO_SUCH_FILE, path, name + ": no such file or directory", e);
        }
        if (e instanceof AccessDeniedException) {
            return new FileLockException(
                    ACCESS_DENIED, path, name + ": no permission to read it", e, "Run this as a user who may read it");
        }
        return new FileLockException(IO_ERROR, path, name + ": " + why(e), e);
    }

    /** Returns what was wrong, without the name of the file. */
    static String why(Exception e) {
        if (e instanceof AccessDeniedException) {
            return "no permission";
        }
        String why = e instanceof FileSystemException ? ((FileSystemException) e).getReason() : e.getMessage();
        return why == null ? e.getClass().getSimpleName() : why;
    }

    /** Returns a name as messages show it. */
    static String name(Path path) {
        byte[] name = Names.bytes(path);
        return name.length == 0 ? "." : Names.text(name);
    }

    /**
     * Returns the reason, for programs.
     *
     * @return the name of an {@link io.pagelock.Reason}, or a constant of this class
     */
    public String reason() {
        return reason;
    }

    /**
     * Returns the file concerned.
     *
     * @return the path; empty if it concerns all of them
     */
    public Optional<Path> path() {
        return Optional.ofNullable(path);
    }

    /**
     * Returns what can be done about it, one setting an element, the most likely first.
     *
     * @return an unmodifiable list, often empty
     */
    public List<String> remedies() {
        return Collections.unmodifiableList(Arrays.asList(remedies));
    }

    /**
     * Returns the files of the failed request; nothing of them is locked.
     *
     * @return an unmodifiable list; empty if it failed before any was mapped
     */
    public List<HeldFile> files() {
        return files == null ? Collections.emptyList() : files;
    }

    FileLockException with(List<HeldFile> all) {
        files = all;
        return this;
    }

    @Override
    public String toString() {
        return reason.toLowerCase(Locale.ROOT) + ": " + getMessage();
    }
}
