// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.standin.OrdinaryUser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A child JVM that goes on while it is looked at, the agent's jar, as it is packaged, and the kernel's account of the JVM. */
final class AgentJvm implements AutoCloseable {
    /** In places that a user without rights can read. */
    static final Path JAR;

    private static final Path CLASSES;

    static {
        try {
            Path directory = ChildJvm.directoryForAll();
            JAR = directory.resolve("pagelock-agent.jar");
            CLASSES = directory.resolve("classes");
            ChildJvm.copyForAll(Jars.agent(), JAR);
            ChildJvm.copyForAll(Jars.testClasses(), CLASSES);
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Process process;
    private final BufferedReader output;
    private final Writer input;
    private final StringBuilder printed = new StringBuilder();

    private AgentJvm(Process process) {
        this.process = process;
        output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        input = process.outputWriter(StandardCharsets.UTF_8);
    }

    static String agent(String options) {
        return "-javaagent:" + JAR + (options.isEmpty() ? "" : "=" + options);
    }

    /** Words that take every right to lock away but those of a limit. Only root can. */
    static List<String> asUserWithLimit(long bytes) throws IOException {
        long self = ProcessHandle.current().pid();
        assumeTrue("true".equals(System.getenv("CI")) || status(self, "Uid").startsWith("0"), "needs root");
        // CAP_SYS_RESOURCE, or a limit as high.
        assumeTrue(
                bytes <= 65536 || (Long.parseUnsignedLong(status(self, "CapEff"), 16) >>> 24 & 1) == 1,
                "this process may not raise its own limit, so it cannot give one away");
        List<String> words = new ArrayList<>(List.of("prlimit", "--memlock=" + bytes));
        words.addAll(OrdinaryUser.WITHOUT_RIGHTS);
        return words;
    }

    /** Starts {@link PlainProgram}. */
    static AgentJvm start(String... options) throws IOException {
        return start(List.of(), options);
    }

    /** Starts {@link PlainProgram} through other programs. */
    static AgentJvm start(List<String> through, String... options) throws IOException {
        return start(
                Map.of(),
                new ChildJvm().through(through).classPath(CLASSES.toString()),
                options,
                PlainProgram.class.getName());
    }

    static AgentJvm start(
            Map<String, String> environment, ChildJvm jvm, String[] options, String main, String... arguments)
            throws IOException {
        // A heap that grows. Agents may be loaded into it.
        jvm.options("-Xms32m", "-Xmx256m", "-XX:-UseSerialGC", "-XX:+EnableDynamicAgentLoading")
                .options(options);
        ProcessBuilder builder = new ProcessBuilder(jvm.command(main, arguments)).redirectErrorStream(true);
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        builder.environment().putAll(environment);
        return new AgentJvm(builder.start());
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Sends SIGTERM; returns the exit status. */
    int terminate() throws InterruptedException {
        process.destroy();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS), "still running");
        return process.exitValue();
    }

    /** Reads on until a line begins so; returns the rest of that line. */
    String await(String beginning) throws IOException {
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            printed.append(line).append('\n');
            if (line.startsWith(beginning)) {
                return line.substring(beginning.length());
            }
        }
        throw new AssertionError("it ended without '" + beginning + "'; it printed\n" + printed);
    }

    /** Has the program do something, and returns what it printed meanwhile. */
    String tell(String what) throws IOException {
        int before = printed.length();
        input.write(what + "\n");
        input.flush();
        await(what + " done");
        return printed.substring(before);
    }

    /** Waits for its end; returns its exit status and everything that it printed. */
    String end() throws IOException, InterruptedException {
        input.close();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            printed.append(line).append('\n');
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> "still running; it printed\n" + printed);
        return process.exitValue() + "\n" + printed;
    }

    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** A field of the kernel's status; in KiB, if it is one of memory. */
    static String status(long pid, String field) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"), StandardCharsets.ISO_8859_1)) {
            if (line.startsWith(field + ":")) {
                return line.substring(field.length() + 1).trim().replace(" kB", "");
            }
        }
        throw new AssertionError(field);
    }

    long kib(String field) throws IOException {
        return Long.parseLong(status(pid(), field));
    }

    /** What of the memory that it can write to is in memory and not locked, by smaps, in KiB. */
    long unlockedKib() throws IOException {
        long unlocked = 0;
        long resident = 0;
        boolean writable = false;
        for (String line : Files.readAllLines(Path.of("/proc/" + pid() + "/smaps"), StandardCharsets.ISO_8859_1)) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                writable = line.split(" ")[1].charAt(1) == 'w';
            } else if (line.startsWith("Rss:")) {
                resident = Long.parseLong(line.replaceAll("[^0-9]", ""));
            } else if (line.startsWith("VmFlags:") && writable && !line.contains(" lo")) {
                unlocked += resident;
            }
        }
        return unlocked;
    }

    /** Waits until little of what it can write to is without a lock: the data of the C library, and the file of a look under way. */
    void awaitLocked() throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        long unlocked = unlockedKib();
        while (unlocked > 1024 && System.nanoTime() < end) {
            Thread.sleep(100);
            unlocked = unlockedKib();
        }
        assertTrue(unlocked <= 1024, unlocked + " KiB are not locked");
    }
}
