// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

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

/**
 * The regular files that the arguments stand for, each once whatever its names. A symbolic link given as an argument is
 * followed; one inside a directory is not, as in {@code grep -r}, which also rules out loops.
 */
final class FileList {
    /** A file as it was listed. */
    static final class Entry {
        private final Path path;
        private final Path argument;
        private final Object key;
        private final long bytes;

        Entry(Path path, Path argument, Object key, long bytes) {
            this.path = path;
            this.argument = argument;
            this.key = key;
            this.bytes = bytes;
        }

        Path path() {
            return path;
        }

        /** What stays the same when the file is renamed, and differs when another takes its name. */
        Object key() {
            return key;
        }

        /** The argument under which it was found: itself, or a directory. */
        Path argument() {
            return argument;
        }

        /** The size when it was listed. */
        long bytes() {
            return bytes;
        }
    }

    private final Console console;
    private final StopSignal stop;
    private final List<Entry> files = new ArrayList<>();
    private final List<Left> skipped = new ArrayList<>();
    private final List<Left> failed = new ArrayList<>();
    private final Map<Object, Path> seen = new HashMap<>();
    private final Set<Object> seenDirectories = new HashSet<>();

    private FileList(Console console, StopSignal stop) {
        this.console = console;
        this.stop = stop;
    }

    /**
     * Lists files.
     *
     * @throws Failure if a signal came
     */
    static FileList of(List<Path> arguments, Console console, StopSignal stop) {
        FileList list = new FileList(console, stop);
        arguments.forEach(list::addArgument);
        return list;
    }

    /** The regular files. */
    List<Entry> files() {
        return Collections.unmodifiableList(files);
    }

    /** What is left out because it holds no pages of its own: links, fifos, sockets, devices, second names. */
    List<Left> skipped() {
        return Collections.unmodifiableList(skipped);
    }

    /** What could not be looked at. */
    List<Left> failed() {
        return Collections.unmodifiableList(failed);
    }

    private void addArgument(Path path) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            if (attributes.isDirectory()) {
                addDirectory(path, attributes);
            } else if (attributes.isRegularFile()) {
                addFile(path, path, attributes);
            } else {
                failed.add(new Left(
                        path,
                        new Failure("NOT_A_FILE", console.name(path) + ": neither a regular file nor a directory")));
            }
        } catch (IOException e) {
            failed.add(new Left(path, Failure.of(console.name(path), e)));
        }
    }

    private void addDirectory(Path top, BasicFileAttributes attributes) {
        Deque<Path> open = new ArrayDeque<>();
        if (isNewDirectory(top, attributes)) {
            open.add(top);
        }
        while (!open.isEmpty()) {
            Path directory = open.remove();
            try {
                for (Path child : children(directory)) {
                    addChild(child, top, open);
                }
            } catch (NoSuchFileException e) {
                skip(directory, "VANISHED", "vanished while it was being listed");
            } catch (IOException e) {
                failed.add(new Left(directory, Failure.of(console.name(directory), e)));
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

    private void addChild(Path child, Path top, Deque<Path> open) throws IOException {
        stop.check();
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(child, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            skip(child, "VANISHED", "vanished while it was being listed");
            return;
        }
        if (attributes.isDirectory()) {
            if (isNewDirectory(child, attributes)) {
                open.add(child);
            }
        } else if (attributes.isRegularFile()) {
            addFile(child, top, attributes);
        } else if (attributes.isSymbolicLink()) {
            skip(child, "SYMBOLIC_LINK", "a symbolic link inside a directory, not followed");
        } else {
            skip(child, "NOT_A_FILE", "a fifo, socket or device, not a regular file");
        }
    }

    private boolean isNewDirectory(Path path, BasicFileAttributes attributes) {
        if (seenDirectories.add(key(path, attributes))) {
            return true;
        }
        skip(path, "SAME_FILE", "the same directory as one already listed, counted once");
        return false;
    }

    private void addFile(Path path, Path argument, BasicFileAttributes attributes) {
        Object key = key(path, attributes);
        Path first = seen.putIfAbsent(key, path);
        if (first == null) {
            files.add(new Entry(path, argument, key, attributes.size()));
        } else {
            skip(path, "SAME_FILE", "the same file as " + console.name(first) + ", counted once");
        }
    }

    private void skip(Path path, String reason, String why) {
        skipped.add(new Left(path, new Failure(reason, console.name(path) + ": " + why)));
    }

    static Object key(Path path, BasicFileAttributes attributes) {
        Object key = attributes.fileKey();
        return key == null ? path.toAbsolutePath().normalize() : key;
    }
}
