// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.remote;

import io.pagelock.backend.testkit.standin.OrdinaryUser;
import io.pagelock.backend.testkit.standin.StandIn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Describes an agent that listens: where it is, and its key. */
public final class RemoteAgent implements AutoCloseable {
    /** Names the environment variable that names an agent elsewhere, {@value}: HOST:PORT. */
    public static final String ADDRESS_VARIABLE = "PAGELOCK_REMOTE";

    /** Names the environment variable with the key of that agent, {@value}. */
    public static final String KEY_VARIABLE = "PAGELOCK_REMOTE_KEY";

    /** Names the environment variable with the file that abi-probe printed on that system, {@value}, for backends that read it. */
    public static final String NUMBERS_VARIABLE = "PAGELOCK_REMOTE_ABI";

    private final String host;
    private final String port;
    private final String key;
    private final Process process;

    private RemoteAgent(String address, String key, Process process) {
        int colon = address.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("not HOST:PORT: " + address);
        }
        host = address.substring(0, colon);
        port = address.substring(colon + 1);
        this.key = key;
        this.process = process;
    }

    /**
     * Returns the agent elsewhere that the environment names.
     *
     * @return the agent; empty if {@value #ADDRESS_VARIABLE} is not set
     */
    public static Optional<RemoteAgent> given() {
        String address = System.getenv(ADDRESS_VARIABLE);
        return address == null || address.isEmpty()
                ? Optional.empty()
                : Optional.of(at(address, System.getenv(KEY_VARIABLE)));
    }

    /**
     * Names an agent that listens somewhere.
     *
     * @param address HOST:PORT
     * @param key its key
     * @return the agent
     */
    public static RemoteAgent at(String address, String key) {
        return new RemoteAgent(address, String.valueOf(key), null);
    }

    /**
     * Does what {@link #here} does, as a user without any right whom {@code RLIMIT_MEMLOCK} binds. Needs root, setpriv(1) and
     * prlimit(1); without them the test is skipped.
     *
     * @param limit soft and hard limit of locked memory in bytes
     * @return the agent
     */
    public static RemoteAgent ofOrdinaryUser(long limit) {
        String[] words = OrdinaryUser.command(limit).toArray(new String[0]);
        return here(words);
    }

    /**
     * Compiles the agent for this Linux, in the data model of this JVM, and starts it on a free port of the loopback address.
     * Without a Linux or a C compiler the test is skipped with that reason; but where the environment variable {@code CI} is
     * set, it fails. The program ends with {@link #close}, or with this JVM.
     *
     * @param before the words before the program, such as {@code setpriv} and its options; none for the agent itself
     * @return the agent
     */
    public static RemoteAgent here(String... before) {
        return of(StandIn.source("remote-agent.c"), before);
    }

    /**
     * Does the same with a file that includes a stand-in and then {@code remote-agent.c}, so that the agent is one of that
     * system.
     *
     * @param source the C file
     * @param before the words before the program
     * @return the agent
     */
    public static RemoteAgent of(Path source, String... before) {
        return start(StandIn.program(source, "-DAGENT_THREADS"), before);
    }

    /**
     * Starts an agent that is compiled.
     *
     * @param program the program
     * @param before the words before the program
     * @return the agent
     */
    public static RemoteAgent start(Path program, String... before) {
        List<String> command = new ArrayList<>(Arrays.asList(before));
        try {
            Path reachable = before.length == 0 ? program : copy(program);
            Collections.addAll(command, reachable.toString(), "-p", "0");
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
            String line = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))
                    .readLine();
            if (line == null || !line.startsWith("listening on ")) {
                process.destroy();
                throw new AssertionError(command + " does not listen: " + line);
            }
            String[] words = line.split(" ");
            return new RemoteAgent(words[2], words[4], process);
        } catch (IOException e) {
            throw new AssertionError("cannot start " + command + ": " + e, e);
        }
    }

    /** Another user may not reach the directory of the build. */
    private static Path copy(Path program) throws IOException {
        Path directory = Files.createTempDirectory("pagelock");
        Path copy = Files.copy(program, directory.resolve(program.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        // In the reverse order.
        directory.toFile().deleteOnExit();
        copy.toFile().deleteOnExit();
        return copy;
    }

    String host() {
        return host;
    }

    String port() {
        return port;
    }

    String key() {
        return key;
    }

    /** Ends the agent, if it was started here. Its sessions go on until they are closed. */
    @Override
    public void close() {
        if (process != null) {
            process.destroy();
        }
    }

    /** Returns HOST:PORT. */
    @Override
    public String toString() {
        return host + ":" + port;
    }
}
