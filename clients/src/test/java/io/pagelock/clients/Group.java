// SPDX-License-Identifier: Apache-2.0
package io.pagelock.clients;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A control group with little memory, of version 1 or 2: cgroups(7). */
final class Group implements AutoCloseable {
    private final Path directory;

    private Group(Path directory) {
        this.directory = directory;
    }

    static Group withMemory(long bytes) throws IOException {
        Path root = Path.of("/sys/fs/cgroup");
        boolean v1 = Files.isDirectory(root.resolve("memory"));
        try {
            Group group = new Group(Files.createTempDirectory(v1 ? root.resolve("memory") : root, "pagelock-client"));
            Files.writeString(
                    group.directory.resolve(v1 ? "memory.limit_in_bytes" : "memory.max"), Long.toString(bytes));
            return group;
        } catch (IOException e) {
            if ("true".equals(System.getenv("CI"))) {
                throw e;
            }
            return abort("no memory cgroup can be made: " + e);
        }
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
