// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A memory cgroup of a test's own, version 1 or 2: cgroups(7). */
final class Cgroup implements AutoCloseable {
    private final Path directory;

    private Cgroup(Path directory) {
        this.directory = directory;
    }

    /**
     * Makes one below the hierarchy's root as this process sees it.
     *
     * @throws IOException if there is no hierarchy with the memory controller, or this process may not
     */
    static Cgroup withMemory(long bytes) throws IOException {
        Optional<String> v1 = root("cgroup", "memory");
        Optional<String> v2 = root("cgroup2", "");
        if (v1.isEmpty() && v2.isEmpty()) {
            throw new IOException("no cgroup hierarchy is mounted");
        }
        Path root = Path.of(v1.orElseGet(v2::get));
        if (v1.isEmpty()
                && !Files.readString(root.resolve("cgroup.subtree_control")).contains("memory")) {
            Files.writeString(root.resolve("cgroup.subtree_control"), "+memory");
        }
        return in(root, v1.isPresent() ? "memory.limit_in_bytes" : "memory.max", bytes);
    }

    /** Makes one below this. */
    Cgroup below(long bytes) throws IOException {
        boolean v1 = Files.exists(directory.resolve("memory.limit_in_bytes"));
        if (!v1) {
            Files.writeString(directory.resolve("cgroup.subtree_control"), "+memory");
        }
        return in(directory, v1 ? "memory.limit_in_bytes" : "memory.max", bytes);
    }

    private static Cgroup in(Path parent, String limit, long bytes) throws IOException {
        Cgroup made = new Cgroup(Files.createTempDirectory(parent, "pagelock-test"));
        try {
            Files.writeString(made.directory.resolve(limit), Long.toString(bytes));
            return made;
        } catch (IOException e) {
            made.close();
            throw e;
        }
    }

    /** Where a hierarchy is mounted. */
    private static Optional<String> root(String type, String option) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
                .map(line -> line.split(" "))
                .filter(words -> words[2].equals(type)
                        && ("," + words[3] + ",").contains("," + option + (option.isEmpty() ? "" : ",")))
                .map(words -> words[1])
                .findFirst();
    }

    /** Words before a command that make it live here. */
    String[] command() {
        return new String[] {"sh", "-c", "echo $$ > '" + directory + "/cgroup.procs' && exec \"$@\"", "sh"};
    }

    @Override
    public void close() throws IOException {
        Files.delete(directory);
    }
}
