// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.remote;

import io.pagelock.backend.testkit.Comparison;
import io.pagelock.backend.testkit.RawCalls;
import io.pagelock.backend.testkit.standin.StandIn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.opentest4j.TestAbortedException;

/**
 * Runs the tests of one system through an agent: the one that the environment names, or one of this machine, which shows that the
 * way there is right. With an agent elsewhere, what {@code tools/remote-contract} reports is written to {@code target/remote}.
 */
public final class RemoteRun implements AutoCloseable {
    private static final Path RECORDS = Paths.get("target", "remote");

    private final String system;
    private final Path library;
    private final RemoteAgent agent;
    private final boolean isElsewhere;
    /** Of an ordinary user; -1 for whoever the agent runs as. */
    private final long limit;

    private RemoteRun(String system, Path library, RemoteAgent agent, boolean isElsewhere, long limit) {
        this.limit = limit;
        this.system = system;
        this.library = library;
        this.agent = agent;
        this.isElsewhere = isElsewhere;
    }

    /**
     * Compiles the library, {@code src/test/c/remote-NAME.c}, and finds the agent or starts one of this machine, whose
     * kernel is in {@code src/test/c/agent-NAME.c}.
     *
     * @param system the name of the backend
     * @return the run, to be closed after the tests
     */
    public static RemoteRun of(String system) {
        Path sources = Paths.get("src", "test", "c");
        return of(
                system,
                sources.resolve("remote-" + system + ".c"),
                () -> RemoteAgent.of(sources.resolve("agent-" + system + ".c")));
    }

    /**
     * Compiles the library, and finds or starts the agent.
     *
     * @param system the name of the backend
     * @param library the C file of the library, which includes {@code remote.h}
     * @param here starts an agent of this machine
     * @return the run, to be closed after the tests
     */
    public static RemoteRun of(String system, Path library, Supplier<RemoteAgent> here) {
        Path compiled = StandIn.compile(library);
        Optional<RemoteAgent> given = RemoteAgent.given();
        RemoteRun run = new RemoteRun(system, compiled, given.orElseGet(here), given.isPresent(), -1);
        if (given.isPresent()) {
            run.writeFacts();
        }
        return run;
    }

    /**
     * Returns where the library is, for {@code CLibrary.open}.
     *
     * @return its path
     */
    public String library() {
        return library.toString();
    }

    /**
     * Reports whether the environment names the agent.
     *
     * @return whether it does
     */
    public boolean isElsewhere() {
        return isElsewhere;
    }

    /**
     * Returns this run as an ordinary user, whom {@code RLIMIT_MEMLOCK} binds. Where the agent is not the superuser's, its tests are
     * skipped.
     *
     * @param bytes soft and hard limit of locked memory
     * @return a run that makes its sessions that user's; this one closes the agent
     */
    public RemoteRun ofOrdinaryUser(long bytes) {
        return new RemoteRun(system, library, agent, isElsewhere, bytes);
    }

    /**
     * Opens a session.
     *
     * @return a new one
     */
    public RemoteMachine machine() {
        return machine(library);
    }

    /**
     * Opens a session by another library.
     *
     * @param other the library, compiled
     * @return a new session
     */
    public RemoteMachine machine(Path other) {
        RemoteMachine machine = RemoteMachine.open(other, agent);
        if (limit < 0) {
            return machine;
        }
        if (!machine.isSuperuser()) {
            machine.close();
            throw new TestAbortedException("needs an agent that runs as the superuser");
        }
        return machine.becomeOrdinaryUser(limit);
    }

    /**
     * Returns the tests of the answers that are known of the system, and with an agent elsewhere one that records them.
     *
     * @param calls makes the raw calls of a session
     * @return the tests, named like the rows
     */
    public Stream<DynamicTest> answers(Function<RemoteMachine, RawCalls> calls) {
        Supplier<RawCalls> subject = () -> calls.apply(machine());
        Stream<DynamicTest> known = Comparison.tests(system, subject);
        return isElsewhere && limit < 0
                ? Stream.concat(
                        known,
                        Stream.of(DynamicTest.dynamicTest(
                                "recorded", () -> write("answers.tsv", Comparison.record(subject)))))
                : known;
    }

    private void writeFacts() {
        try (RemoteMachine machine = machine()) {
            List<String> facts = new ArrayList<>(Arrays.asList(
                    "system\t" + machine,
                    "kernel\t" + (machine.isStandIn() ? "stand-in" : "its own"),
                    "user\t" + (machine.isSuperuser() ? "the superuser" : "an ordinary user"),
                    "page size\t" + machine.pageSize() + " bytes",
                    String.format(Locale.ROOT, "latency\t%.0f microseconds a call", machine.latencyMicros())));
            write("facts.tsv", facts);
        }
    }

    private static void write(String file, List<String> lines) {
        try {
            Files.createDirectories(RECORDS);
            Files.write(RECORDS.resolve(file), lines, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the agent, if it was started here. */
    @Override
    public void close() {
        agent.close();
    }
}
