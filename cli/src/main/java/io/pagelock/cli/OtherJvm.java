// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.backend.linux.proc.KernelText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Makes sure that a process is a JVM before it is asked to load an agent: the JDK asks by a SIGQUIT, which ends most other programs,
 * and a JVM that leaves signals alone (-Xrs). Source: proc_pid_status(5), proc_pid_maps(5), signal(7).
 */
final class OtherJvm {
    private static final String CAUGHT = "SigCgt:";
    private static final long SIGQUIT = 1L << 3 - 1;

    private final Path process;
    private final long pid;

    /**
     * @param proc where the process file system is mounted
     */
    OtherJvm(Path proc, long pid) {
        this.process = proc.resolve(Long.toString(pid));
        this.pid = pid;
    }

    /**
     * Refuses what is no JVM, or none that can be asked. What cannot be looked at passes: then the JDK may not ask it either.
     *
     * @throws Failure if the process must not be asked
     */
    void require() {
        if (!Files.isDirectory(process.resolveSibling("self"))) {
            return;
        }
        if (!Files.isDirectory(process)) {
            throw new Failure("NO_SUCH_PROCESS", "no process " + pid);
        }
        String library = "";
        String caught = "";
        try {
            library = last("maps", "/libjvm.so", "/libj9vm");
            caught = last("status", CAUGHT);
        } catch (IOException e) {
            return;
        }
        if (library.isEmpty()) {
            throw refusal("it is not a JVM");
        }
        if (library.contains("/libjvm.so") && !handlesQuit(caught) && !hasSocket()) {
            throw refusal(
                    "it does not handle SIGQUIT, the signal that asks a JVM to load an agent: it has just started,"
                            + " or was started with -Xrs and -XX:+DisableAttachMechanism");
        }
    }

    private Failure refusal(String why) {
        return new Failure(
                "NOT_SUPPORTED",
                "process " + pid + ": " + why + "; it received no signal",
                Arrays.asList(
                        "Name the process of a JVM, see jps or pgrep java",
                        "Start it with the agent: -javaagent:pagelock-agent.jar"),
                null);
    }

    private static boolean handlesQuit(String caught) {
        try {
            return (Long.parseUnsignedLong(KernelText.strip(caught.substring(CAUGHT.length())), 16) & SIGQUIT) != 0;
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            return false;
        }
    }

    /** One that listens already is not asked by a signal. */
    private boolean hasSocket() {
        try {
            String[] numbers = last("status", "NSpid:").split("[^0-9]+");
            String own = numbers.length == 0 ? "" : numbers[numbers.length - 1];
            return Files.exists(process.resolve("root/tmp/.java_pid" + own));
        } catch (IOException e) {
            return false;
        }
    }

    /** The last line with one of these texts; empty if there is none. */
    private String last(String file, String... texts) throws IOException {
        String found = "";
        List<String> all = Arrays.asList(texts);
        try (KernelText text = new KernelText(Files.newInputStream(process.resolve(file)))) {
            while (text.next()) {
                if (!text.bad()) {
                    String line = text.rest();
                    found = all.stream().anyMatch(line::contains) ? line : found;
                }
            }
        }
        return found;
    }
}
