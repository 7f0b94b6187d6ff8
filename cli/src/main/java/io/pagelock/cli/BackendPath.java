// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where the command looks for backends beside those it carries: a directory of jars that everybody knows, and what
 * {@code --backend-path} names.
 */
final class BackendPath {
    static final String OPTION = "--backend-path";
    static final String VARIABLE = "PAGELOCK_BACKENDS";

    private final Path directory;
    private final List<Path> given;

    private BackendPath(Path directory, List<Path> given) {
        this.directory = directory;
        this.given = given;
    }

    /**
     * Reads the path that an invocation asks for.
     *
     * @param rawArguments see {@link RawArguments}; looked at before they are parsed, since the answer decides which classes
     *     the parser is made of
     */
    static BackendPath of(String[] rawArguments, Map<String, String> environment, String home) {
        List<Path> given = new ArrayList<>();
        for (int i = 0; i < rawArguments.length && !rawArguments[i].equals("--"); i++) {
            String argument = rawArguments[i];
            if (argument.equals(OPTION) && i + 1 < rawArguments.length) {
                given.addAll(split(rawArguments[++i]));
            } else if (argument.startsWith(OPTION + "=")) {
                given.addAll(split(argument.substring(OPTION.length() + 1)));
            }
        }
        return new BackendPath(directory(environment, home), given);
    }

    private static List<Path> split(String raw) {
        List<Path> paths = new ArrayList<>();
        for (String each : raw.split(File.pathSeparator)) {
            if (!each.isEmpty()) {
                paths.add(FileNames.path(RawArguments.bytes(each)));
            }
        }
        return paths;
    }

    private static Path directory(Map<String, String> environment, String home) {
        String named = environment.getOrDefault(VARIABLE, "");
        if (!named.isEmpty()) {
            return Paths.get(named);
        }
        String data = environment.getOrDefault("XDG_DATA_HOME", "");
        // A relative one is to be ignored. Source: XDG Base Directory Specification.
        if (data.startsWith("/")) {
            return Paths.get(data, "pagelock", "backends");
        }
        // A user without a home has "?" or nothing.
        return home == null || !home.startsWith("/")
                ? null
                : Paths.get(home, ".local", "share", "pagelock", "backends");
    }

    /** The directory whose jars are taken; none for a user without a home. */
    Optional<Path> directory() {
        return Optional.ofNullable(directory);
    }

    /** The directory as a person can read it. */
    String text() {
        return directory == null ? "the directory that " + VARIABLE + " names" : shown(directory);
    }

    /**
     * Returns what is to be searched: jars, and directories of classes.
     *
     * @param warn what of the directory is left out, and why
     * @throws Failure if something that was given is not there or cannot be read
     */
    List<Path> entries(Consumer<Failure> warn) {
        List<Path> entries = new ArrayList<>();
        for (Path each : given) {
            if (!Files.exists(each)) {
                throw new Failure("NO_SUCH_FILE", OPTION + ": " + shown(each) + ": no such file or directory");
            }
            entries.add(each);
            entries.addAll(jars(each));
        }
        try {
            List<Path> jars = directory == null ? new ArrayList<>() : jars(directory);
            if (!jars.isEmpty()) {
                refuseWhatOthersCanWrite(directory);
            }
            for (Path jar : jars) {
                refuseWhatOthersCanWrite(jar);
            }
            entries.addAll(jars);
        } catch (Failure e) {
            warn.accept(e);
        }
        return entries;
    }

    /** Code from here runs with this user's rights. */
    private static void refuseWhatOthersCanWrite(Path path) {
        try {
            if (Files.getPosixFilePermissions(path).contains(PosixFilePermission.OTHERS_WRITE)) {
                throw new Failure(
                        "ACCESS_DENIED",
                        shown(path) + ": no backend is loaded from here, because every user can write to it",
                        "Run: chmod o-w " + shown(path),
                        null);
            }
        } catch (IOException e) {
            throw Failure.of(shown(path), e);
        }
    }

    private static List<Path> jars(Path directory) {
        List<Path> jars = new ArrayList<>();
        if (!Files.isDirectory(directory)) {
            return jars;
        }
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory, "*.jar")) {
            stream.forEach(jars::add);
        } catch (IOException e) {
            throw Failure.of(shown(directory), e);
        } catch (DirectoryIteratorException e) {
            throw Failure.of(shown(directory), e.getCause());
        }
        Collections.sort(jars);
        return jars;
    }

    private static String shown(Path path) {
        return FileNames.text(path, Console.localeCharset());
    }

    /**
     * Loads everything that this JVM was started with, and the entries, side by side: a backend beside the library it
     * implements, as if its jar had been on the class path from the start.
     */
    static ClassLoader load(List<Path> entries) {
        List<URL> urls = new ArrayList<>();
        try {
            for (String property : new String[] {"java.class.path", "jdk.module.path"}) {
                String value = System.getProperty(property);
                for (String each : value == null ? new String[0] : value.split(File.pathSeparator)) {
                    Path path = Paths.get(each.isEmpty() ? "." : each);
                    urls.add(path.toUri().toURL());
                    for (Path jar : property.equals("jdk.module.path") ? jars(path) : Collections.<Path>emptyList()) {
                        urls.add(jar.toUri().toURL());
                    }
                }
            }
            for (Path entry : entries) {
                urls.add(entry.toUri().toURL());
            }
        } catch (MalformedURLException e) {
            throw new AssertionError(e);
        }
        return new URLClassLoader(
                urls.toArray(new URL[0]), ClassLoader.getSystemClassLoader().getParent());
    }
}
