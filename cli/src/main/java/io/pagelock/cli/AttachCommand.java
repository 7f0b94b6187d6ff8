// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.spi.Names;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Loads the agent into a JVM that is running. The attach mechanism is a part of the JDK, not of every Java runtime. */
@Command(
        name = "attach",
        description = {
            "Locks the memory of a running JVM until it ends, without changing its program.",
            "Needs the JDK's module jdk.attach; run it as the user of that JVM. It loads pagelock-agent, which"
                    + " takes the same OPTIONS when a JVM starts: -javaagent:pagelock-agent.jar=OPTIONS"
        },
        sortOptions = false)
final class AttachCommand implements Callable<Integer> {
    /** Where the agent leaves its outcome each time it is loaded. */
    private static final String ANSWER = "io.pagelock.agent.answer";

    private static final String REFUSED = "refused: ";

    @Parameters(index = "0", paramLabel = "PID", description = "The process id of the JVM.")
    private long pid;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "OPTIONS",
            description = "Words separated by commas. committed: lock the memory that the JVM uses (the default on"
                    + " Linux). current: lock everything that is mapped. future: lock everything that is"
                    + " mapped later. on-fault: lock pages when they are touched. required: lock nothing"
                    + " unless everything can be locked. best-effort: lock as much as possible (the"
                    + " default). interval=TIME: how often committed looks for new memory (default: 1s).")
    private String options = "";

    @Option(
            names = "--agent",
            paramLabel = "JAR",
            description = "The agent's jar, if the JVM cannot read the one next to this command, for example in a"
                    + " container.")
    private Path agent;

    @Mixin
    private CommonOptions common;

    @Spec
    private CommandSpec spec;

    private final Console console;

    AttachCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (pid <= 0) {
            throw new ParameterException(spec.commandLine(), "a process id must be 1 or more, not " + pid);
        }
        try {
            String jar = jar();
            new OtherJvm(Paths.get("/proc"), pid).require();
            return report(attach(jar));
        } catch (Failure e) {
            console.fail(e, common.debug());
            if (common.json()) {
                console.document(e.addTo(document().put("result", "failed")));
            }
            return 1;
        }
    }

    private Json document() {
        return new Json().put("command", "attach").put("pid", pid).put("options", options);
    }

    private int report(String outcome) {
        if (outcome.startsWith(REFUSED)) {
            throw new Failure("REFUSED", process() + ": " + outcome.substring(REFUSED.length()));
        }
        boolean locked = outcome.equals("locked");
        if (!locked) {
            console.warn(process() + ": " + outcome);
        }
        if (common.json()) {
            console.document(
                    document().put("result", locked ? "locked" : "incomplete").put("message", outcome));
        } else if (locked) {
            console.say(process() + ": locked until it ends; pagelock status --pid " + pid + " shows what");
        }
        return 0;
    }

    private String process() {
        return "process " + pid;
    }

    /** The one beside this command. */
    private String jar() {
        try {
            File file = agent == null
                    ? new File(Class.forName("io.pagelock.agent.Agent")
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    : agent.toAbsolutePath().toFile();
            if (file.isFile()) {
                return file.getPath();
            }
            throw new Failure("IO_ERROR", console.name(file.toPath()) + ": no such jar");
        } catch (ClassNotFoundException | URISyntaxException e) {
            throw new Failure(
                    "NOT_SUPPORTED",
                    "pagelock-agent.jar is not next to this command",
                    "Name it with --agent=/path/to/pagelock-agent.jar",
                    e);
        }
    }

    /** Returns the outcome that the agent left. */
    private String attach(String jar) {
        Class<?> machines;
        try {
            machines = Class.forName("com.sun.tools.attach.VirtualMachine");
        } catch (ClassNotFoundException e) {
            throw new Failure(
                    "NOT_SUPPORTED",
                    "this Java (" + System.getProperty("java.home")
                            + ") lacks the module jdk.attach, which attaches to other JVMs",
                    Arrays.asList(
                            "Run pagelock with a JDK of Java 9 or later: set JAVA_HOME",
                            "With the JDK of the process: jcmd " + pid + " JVMTI.agent_load " + jar + " '\"" + options
                                    + "\"'",
                            "Start the process with -javaagent:" + jar + "=" + options),
                    e);
        }
        Object machine = null;
        try {
            machine = machines.getMethod("attach", String.class).invoke(null, Long.toString(pid));
            machines.getMethod("loadAgent", String.class, String.class).invoke(machine, jar, options);
            Properties properties =
                    (Properties) machines.getMethod("getSystemProperties").invoke(machine);
            String outcome = properties.getProperty(ANSWER, "the agent has reported no result");
            // The process writes what it likes.
            return Names.text(outcome.getBytes(StandardCharsets.UTF_8));
        } catch (InvocationTargetException e) {
            throw failure(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw failure(e);
        } finally {
            detach(machines, machine);
        }
    }

    private Failure failure(Throwable cause) {
        String why = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        boolean reached = cause.getClass().getSimpleName().startsWith("Agent");
        List<String> remedies = reached
                ? Collections.singletonList(
                        "The JVM must be able to read the jar in its own file system, as its own user; name a copy"
                                + " with --agent=JAR")
                : Arrays.asList(
                        "Check that the process is a JVM, and run this as its user, inside the same container",
                        "A JVM that was started with -XX:+DisableAttachMechanism accepts the agent only when it"
                                + " starts");
        return new Failure(
                cause instanceof IOException ? "IO_ERROR" : "NOT_SUPPORTED",
                process() + ": " + (reached ? "it did not load the agent: " : "cannot attach to it: ")
                        + Names.text(why.getBytes(StandardCharsets.UTF_8)),
                remedies,
                cause);
    }

    private static void detach(Class<?> machines, Object machine) {
        try {
            if (machine != null) {
                machines.getMethod("detach").invoke(machine);
            }
        } catch (ReflectiveOperationException e) {
            // It has done its work.
            return;
        }
    }
}
