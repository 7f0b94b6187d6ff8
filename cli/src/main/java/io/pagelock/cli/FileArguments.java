// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.files.FileSelection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Which files a command is about. Names are bytes, see {@link RawArguments}. */
final class FileArguments {
    /** No system has longer ones, and what is no list of names may have no end. */
    private static final int LONGEST_NAME = 1 << 16;

    private static final Pattern RANGE = Pattern.compile("([^-]*)-([^-]*)");

    @Option(
            names = "--files-from",
            paramLabel = "FILE",
            converter = FileNames.Parser.class,
            description = "Read the names of more files from this file, one per line; '-' is standard input.")
    private List<String> lists = new ArrayList<>();

    @Option(
            names = {"-0", "--null"},
            description = "In those lists, each name ends with a zero byte, as printed by find -print0.")
    private boolean zero;

    @Option(
            names = "--include",
            paramLabel = "PATTERN",
            description = "In directories, take only files whose name matches, for example '*.bin'; a pattern with a"
                    + " slash is matched against the whole path.")
    private List<String> includes = new ArrayList<>();

    @Option(
            names = "--exclude",
            paramLabel = "PATTERN",
            description = "In directories, leave out files and directories whose name matches.")
    private List<String> excludes = new ArrayList<>();

    @Option(
            names = "--max-size",
            paramLabel = "SIZE",
            converter = Sizes.Parser.class,
            description = "Leave out larger files, for example 500m.")
    private Long largest;

    @Option(
            names = "--range",
            paramLabel = "FROM-TO",
            description = "Take this part of each file, rounded outward to pages, for example 0-64k or 1g-.")
    private String range;

    @Option(names = "--follow", description = "Follow symbolic links inside directories.")
    private boolean follow;

    @Option(
            names = {"-x", "--one-file-system"},
            description = "Leave out files on other file systems than that of the given directory.")
    private boolean oneFileSystem;

    @Parameters(paramLabel = "FILE|DIR", arity = "0..*", description = "Files, and directories with files.")
    private List<String> raw = new ArrayList<>();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    boolean isEmpty() {
        return raw.isEmpty() && lists.isEmpty();
    }

    /** As {@link #selection}; it is bad usage to give none, as if the parser required one. */
    FileSelection required() {
        if (isEmpty()) {
            throw bad("Missing required parameter: 'FILE|DIR'");
        }
        return selection();
    }

    /**
     * Returns what was asked for.
     *
     * @throws Failure if a list cannot be read
     */
    FileSelection selection() {
        List<Path> paths = new ArrayList<>();
        for (String each : raw) {
            if (each.isEmpty()) {
                // Java would take it for the working directory.
                throw bad(FileNames.EMPTY);
            }
            paths.add(FileNames.path(RawArguments.bytes(each)));
        }
        for (String each : lists) {
            addList(RawArguments.bytes(each), paths);
        }
        return on(FileSelection.of(paths));
    }

    private FileSelection on(FileSelection selection) {
        FileSelection all = largest == null ? selection : selection.largest(largest);
        all = follow ? all.followLinks() : all;
        all = oneFileSystem ? all.oneFileSystem() : all;
        try {
            all = all.include(patterns(includes)).exclude(patterns(excludes));
            return range == null ? all : range(all);
        } catch (IllegalArgumentException e) {
            throw bad(e.getMessage());
        }
    }

    private static List<byte[]> patterns(List<String> raw) {
        return raw.stream().map(RawArguments::bytes).collect(Collectors.toList());
    }

    private FileSelection range(FileSelection all) {
        Matcher parts = RANGE.matcher(range);
        if (!parts.matches()) {
            throw bad("--range: '" + range + "' is not a range; write for example 0-64k or 1g-");
        }
        long from = parts.group(1).isEmpty() ? 0 : Sizes.parse(parts.group(1));
        long to = parts.group(2).isEmpty() ? Long.MAX_VALUE : Sizes.parse(parts.group(2));
        if (to <= from) {
            throw bad("--range: '" + range + "' must end after it begins");
        }
        return all.range(from, to - from);
    }

    private void addList(byte[] name, List<Path> paths) {
        boolean standardInput = name.length == 1 && name[0] == '-';
        Path path = FileNames.path(name);
        String shown = standardInput ? "standard input" : FileNames.text(path, Console.localeCharset());
        try (InputStream in = standardInput ? System.in : Files.newInputStream(path)) {
            addList(in, paths);
        } catch (NoSuchFileException e) {
            throw new Failure("NO_SUCH_FILE", shown + ": no such file or directory", Collections.emptyList(), e);
        } catch (IOException e) {
            throw Failure.of(shown, e);
        }
    }

    private void addList(InputStream in, List<Path> paths) throws IOException {
        ByteArrayOutputStream name = new ByteArrayOutputStream();
        byte[] some = new byte[1 << 16];
        for (int length = in.read(some); length >= 0; length = in.read(some)) {
            for (int i = 0; i < length; i++) {
                if (some[i] == (zero ? 0 : '\n')) {
                    add(name, paths);
                } else {
                    if (name.size() == LONGEST_NAME) {
                        throw new IOException("a name in it has more than " + LONGEST_NAME + " bytes");
                    }
                    name.write(some[i]);
                }
            }
        }
        add(name, paths);
    }

    private void add(ByteArrayOutputStream name, List<Path> paths) throws IOException {
        if (name.size() > 0) {
            byte[] bytes = name.toByteArray();
            name.reset();
            for (byte each : bytes) {
                if (each == 0) {
                    throw new IOException("a name in it contains a zero byte; if zero bytes end the names, add -0");
                }
            }
            paths.add(FileNames.path(bytes));
        }
    }

    private ParameterException bad(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
