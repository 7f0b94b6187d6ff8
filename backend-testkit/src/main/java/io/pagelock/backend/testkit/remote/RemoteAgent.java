// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.remote;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Platform;
import io.pagelock.backend.testkit.standin.StandIn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Describes a listening agent: its address and its key. */
public final class RemoteAgent implements AutoCloseable {
    /** Names the environment variable that names an agent elsewhere, {@value}: HOST:PORT. */
    public static final String ADDRESS_VARIABLE = "PAGELOCK_REMOTE";

    /** Names the environment variable with the key of that agent, {@value}. */
    public static final String KEY_VARIABLE = "PAGELOCK_REMOTE_KEY";

    /** Names the environment variable with the file that abi-probe printed on that system, {@value}, for backends that read it. */
    public static final String NUMBERS_VARIABLE = "PAGELOCK_REMOTE_ABI";

    private static final String S390X = "/usr/s390x-linux-gnu";

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
     * Compiles the agent for this Linux, in the data model of this JVM, and starts it on a free port of the loopback address.
     * Without a Linux or a C compiler the test is skipped with that reason; but where the environment variable {@code CI} is
     * set, it fails. The program ends with {@link #close}, or with this JVM.
     *
     * @return the agent
     */
    public static RemoteAgent here() {
        return of(StandIn.source("remote-agent.c"));
    }

    /**
     * Does the same with a file that includes a stand-in and then {@code remote-agent.c}, so that the agent behaves as
     * one on that system.
     *
     * @param source the C file
     * @return the agent
     */
    public static RemoteAgent of(Path source) {
        return start(StandIn.program(source, "-DAGENT_THREADS"));
    }

    /**
     * Does what {@link #of} does for a processor of the other byte order: s390x, which qemu-user then emulates. Needs a
     * JVM of 64 bits and, of Debian, clang, libc6-dev-s390x-cross, binutils-s390x-linux-gnu and qemu-user; without them
     * the test is skipped.
     *
     * @param source the C file
     * @return the agent
     */
    public static RemoteAgent ofOtherByteOrder(Path source) {
        StandIn.source("standin.h");
        StandIn.source("standin-memory.h");
        Path directory = StandIn.source("remote-agent.c").getParent();
        Path program = directory.resolve("agent-s390x");
        String lib = S390X + "/lib";
        assumeTrue(Platform.is64Bit(), "the agent would have 64 bits, and this JVM has 32");
        for (String each : new String[] {"/usr/bin/clang", "/usr/bin/qemu-s390x", S390X + "/bin/ld", lib + "/crt1.o"}) {
            assumeTrue(Files.exists(Paths.get(each)), () -> "no " + each);
        }
        // Without libgcc, which comes with a compiler that Debian does not install beside that for 32 bits.
        List<String> command =
                Arrays.asList(("clang --target=s390x-linux-gnu -std=gnu11 -O1 -nostdlib -DAGENT_THREADS -isystem "
                                + S390X + "/include -I"
                                + directory + " -B" + S390X + "/bin -L" + lib + " -o " + program + " " + lib
                                + "/crt1.o "
                                + lib + "/crti.o " + source + " -lpthread -lc " + lib + "/crtn.o")
                        .split(" "));
        try {
            int result = new ProcessBuilder(command).inheritIO().start().waitFor();
            if (result != 0) {
                throw new AssertionError(command + " failed");
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError("cannot compile " + source + ": " + e, e);
        }
        return start(program, "qemu-s390x", "-L", S390X);
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
            Collections.addAll(command, program.toString(), "-p", "0");
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
