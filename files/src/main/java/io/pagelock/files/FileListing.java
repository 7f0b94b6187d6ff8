// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.spi.Privileged;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Represents the regular files of a {@link FileSelection}, each once even if it has several names. Immutable. */
public final class FileListing {
    /** Of how many files the attributes are read side by side, and kept until all of them are. */
    private static final int AT_ONCE = 4096;

    private final FileSelection selection;
    private final BooleanSupplier cancelled;
    private final List<FileEntry> files = new ArrayList<>();
    private final List<FileLockException> skipped = new ArrayList<>();
    private final List<FileLockException> failed = new ArrayList<>();
    private final Map<Object, Path> seen = new HashMap<>();
    private final Set<Object> seenDirectories = new HashSet<>();

    FileListing(FileSelection selection, BooleanSupplier cancelled) {
        this.selection = selection;
        this.cancelled = cancelled;
        selection.paths().forEach(this::addArgument);
    }

    /**
     * Returns the files, in the order of the selection and by name within a directory.
     *
     * @return an unmodifiable list
     */
    public List<FileEntry> files() {
        return Collections.unmodifiableList(files);
    }

    /**
     * Returns the files that were skipped, either because they have no pages to lock (symbolic links, fifos, sockets,
     * devices, second names) or because the selection excludes them by size or file system. Files that a pattern
     * excludes are not reported.
     *
     * @return an unmodifiable list
     */
    public List<FileLockException> skipped() {
        return Collections.unmodifiableList(skipped);
    }

    /**
     * Returns the files and directories that could not be read.
     *
     * @return an unmodifiable list
     */
    public List<FileLockException> failed() {
        return Collections.unmodifiableList(failed);
    }

    private void checkCancelled() {
        if (cancelled.getAsBoolean()) {
            throw Locking.cancelled();
        }
    }

    private void addArgument(Path path) {
        checkCancelled();
        try {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            if (attributes.isDirectory()) {
                addDirectory(path, attributes);
            } else if (attributes.isRegularFile()) {
                addFile(path, path, attributes);
            } else {
                failed.add(new FileLockException(
                        FileLockException.NOT_A_FILE,
                        path,
                        FileLockException.name(path) + ": neither a regular file nor a directory",
                        null));
            }
        } catch (IOException e) {
            failed.add(FileLockException.of(path, e));
        }
    }

    private void addDirectory(Path top, BasicFileAttributes attributes) throws IOException {
        Object fileSystem = selection.isOneFileSystem() ? device(top) : null;
        Deque<Path> open = new ArrayDeque<>();
        if (isNewDirectory(top, attributes)) {
            open.add(top);
        }
        while (!open.isEmpty()) {
            Path directory = open.remove();
            try {
                List<Path> children = children(directory);
                for (int from = 0; from < children.size(); from += AT_ONCE) {
                    List<Path> some = children.subList(from, Math.min(from + AT_ONCE, children.size()));
                    Object[] found = attributes(some);
                    for (int i = 0; i < found.length; i++) {
                        if (found[i] != null) {
                            addChild(some.get(i), found[i], top, open, fileSystem);
                        }
                    }
                }
            } catch (NoSuchFileException e) {
                skip(directory, FileLockException.VANISHED, "vanished while it was being listed");
            } catch (IOException e) {
                failed.add(FileLockException.of(directory, e));
            }
        }
    }

    private static List<Path> children(Path directory) throws IOException {
        List<Path> children = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            stream.forEach(children::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        Collections.sort(children);
        return children;
    }

    /** The attributes of each child, or the IOException for which there are none; null for what is excluded. */
    private Object[] attributes(List<Path> children) {
        Object[] attributes = new Object[children.size()];
        Crew.run(attributes.length, i -> {
            if (cancelled.getAsBoolean()) {
                throw Locking.cancelled();
            }
            Path child = children.get(i);
            attributes[i] = selection.isExcluded(child) ? null : attributes(child);
        });
        return attributes;
    }

    private Object attributes(Path child) {
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(child, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return attributes.isSymbolicLink() && selection.followsLinks()
                    ? Files.readAttributes(child, BasicFileAttributes.class)
                    : attributes;
        } catch (IOException e) {
            return e;
        }
    }

    private void addChild(Path child, Object found, Path top, Deque<Path> open, Object fileSystem) throws IOException {
        BasicFileAttributes attributes;
        try {
            if (found instanceof IOException) {
                throw (IOException) found;
            }
            attributes = (BasicFileAttributes) found;
        } catch (NoSuchFileException e) {
            if (Files.isSymbolicLink(child)) {
                skip(child, FileLockException.SYMBOLIC_LINK, "a symbolic link to nothing");
            } else {
                skip(child, FileLockException.VANISHED, "vanished while it was being listed");
            }
            return;
        } catch (IOException e) {
            // A link to itself, or a directory on the way that this user may not enter.
            failed.add(FileLockException.of(child, e));
            return;
        }
        if (fileSystem != null && !attributes.isSymbolicLink() && !fileSystem.equals(device(child))) {
            skip(child, FileLockException.OTHER_FILE_SYSTEM, "on another file system");
        } else if (attributes.isDirectory()) {
            if (isNewDirectory(child, attributes)) {
                open.add(child);
            }
        } else if (attributes.isRegularFile()) {
            if (selection.isIncluded(child)) {
                addFile(child, top, attributes);
            }
        } else if (attributes.isSymbolicLink()) {
            skip(child, FileLockException.SYMBOLIC_LINK, "a symbolic link inside a directory, not followed");
        } else {
            skip(child, FileLockException.NOT_A_FILE, "a fifo, socket or device, not a regular file");
        }
    }

    /** The number of the device; mounts of one file system in two places share it, as for {@code find -xdev}. */
    private static Object device(Path path) throws IOException {
        try {
            return Privileged.read(() -> Files.getAttribute(path, "unix:dev"));
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            return Files.getFileStore(path);
        }
    }

    private boolean isNewDirectory(Path path, BasicFileAttributes attributes) {
        if (seenDirectories.add(FileEntry.key(path, attributes))) {
            return true;
        }
        skip(path, FileLockException.SAME_FILE, "the same directory as one already listed, counted once");
        return false;
    }

    private void addFile(Path path, Path argument, BasicFileAttributes attributes) {
        if (attributes.size() > selection.largest()) {
            skip(path, FileLockException.TOO_LARGE, attributes.size() + " bytes, larger than " + selection.largest());
            return;
        }
        FileEntry entry = new FileEntry(path, argument, attributes, selection);
        Path first = seen.putIfAbsent(entry.key(), path);
        if (first == null) {
            files.add(entry);
        } else {
            skip(
                    path,
                    FileLockException.SAME_FILE,
                    "the same file as " + FileLockException.name(first) + ", counted once");
        }
    }

    private void skip(Path path, String reason, String why) {
        skipped.add(new FileLockException(reason, path, FileLockException.name(path) + ": " + why, null));
    }
}
