// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.spi.Host;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The command {@code pagelock}. */
@Command(
        name = "pagelock",
        description = "Locks files in memory, shows which pages of files are in memory, and reports how much may be"
                + " locked.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Exit status:",
            "  0: done",
            "  1: locking failed; nothing remains locked (the reason is on standard error)",
            "  2: bad usage",
            "",
            "Environment:",
            "  PAGELOCK_OPTS: JVM options, for example PAGELOCK_OPTS='-Xmx1g -Djna.tmpdir=/var/tmp/jna'",
            "  PAGELOCK_BACKENDS: a directory with more backends; pagelock doctor shows the one in use"
        })
public final class Main implements Runnable {
    private static final int FAILED = 1;
    private static final String HEAP_IS_FULL = "the Java heap of this command is too small for this many files";
    private static final String HEAP_REMEDY = "PAGELOCK_OPTS=-Xmx1g";

    /** Given back when the heap is full, so that this can be reported. */
    private static byte[] reserve = new byte[1 << 18];

    @Spec
    private CommandSpec spec;

    private Main() {}

    /**
     * Runs the command and ends the JVM with its exit status.
     *
     * @param args the arguments
     */
    public static void main(String[] args) {
        if (args.length == 1 && args[0].equals("--version")) {
            // The parser takes longer than everything else.
            Console console = Console.system();
            console.say(version());
            if (isLost(console)) {
                System.exit(FAILED);
            }
            return;
        }
        String[] raw = RawArguments.of(args);
        Console console = Console.system();
        try {
            List<Path> backends = BackendPath.of(raw, System.getenv(), System.getProperty("user.home"))
                    .entries(why -> console.fail(why, false));
            if (backends.isEmpty()) {
                start(raw);
                return;
            }
            ClassLoader loader = BackendPath.load(backends);
            Thread.currentThread().setContextClassLoader(loader);
            Method start = Class.forName(Main.class.getName(), true, loader).getDeclaredMethod("start", String[].class);
            start.setAccessible(true);
            start.invoke(null, (Object) raw);
        } catch (Failure e) {
            console.fail(e, Arrays.asList(raw).contains("--debug"));
            if (Arrays.asList(raw).contains("--json")) {
                console.document(e.addTo(new Json().put("command", "pagelock").put("result", "failed")));
            }
            System.exit(FAILED);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static void start(String[] raw) {
        Console console = Console.system();
        StopSignal stop = new StopSignal(Runtime.getRuntime()::addShutdownHook);
        int status = FAILED;
        try {
            if (!Arrays.asList(raw).contains("--debug")) {
                JnaSetup.silence();
            }
            for (String unknown : KnownProperties.unknown(System.getProperties())) {
                console.warn("the system property " + unknown + " is unknown and has no effect; known are "
                        + String.join(", ", KnownProperties.names()));
            }
            status = run(raw, Lockers.SYSTEM, console, stop);
        } catch (OutOfMemoryError e) {
            reserve = null;
            reportFullHeap(raw, console);
        }
        if (isLost(console)) {
            status = FAILED;
        }
        stop.finish(status);
        System.exit(status);
    }

    /** Says so where what was printed is lost. */
    private static boolean isLost(Console console) {
        Optional<Failure> lost = console.outputFailure();
        lost.ifPresent(why -> console.warn(why.getMessage()));
        return lost.isPresent();
    }

    /** Tries for a second: threads that still work give their memory back as they end. */
    private static void reportFullHeap(String[] raw, Console console) {
        for (int left = 100; left > 0; left--) {
            try {
                heapIsFull(raw, console);
                return;
            } catch (OutOfMemoryError e) {
                LockSupport.parkNanos(10_000_000);
            }
        }
    }

    /** Without what needs memory, as far as that is possible. */
    private static void heapIsFull(String[] raw, Console console) {
        String command =
                raw.length > 0 && raw[0].matches("hold|status|touch|evict|attach|doctor") ? raw[0] : "pagelock";
        console.warn(HEAP_IS_FULL + "; nothing remains locked");
        console.suggest(HEAP_REMEDY);
        if (Arrays.asList(raw).contains("--json")) {
            console.document("{\"command\":\"" + command
                    + "\",\"result\":\"failed\",\"reason\":\"OUT_OF_HEAP\",\"message\":\"" + HEAP_IS_FULL
                    + "\",\"function\":null,\"errno\":null,\"errnoName\":null,\"remedies\":[\"" + HEAP_REMEDY + "\"]}");
        }
    }

    static int run(String[] rawArguments, Lockers lockers, Console console, StopSignal stop) {
        CommandLine line = new CommandLine(new Main());
        // Only the one that is asked for, where that is clear: to set one up takes as long as to hold a small file.
        String only = rawArguments.length == 0 ? "" : rawArguments[0];
        Map<String, Supplier<Callable<Integer>>> commands = commands(rawArguments, lockers, console, stop);
        commands.forEach((name, command) -> {
            if (name.equals(only) || !commands.containsKey(only) || only.equals("completion") || only.equals("man")) {
                line.addSubcommand(command.get());
            }
        });
        line.getSubcommands().values().forEach(each -> {
            each.getCommandSpec().mixinStandardHelpOptions(true);
            each.getCommandSpec().version(version());
        });
        line.getCommandSpec().version(version());
        CommandLine doctor = line.getSubcommands().get("doctor");
        if (doctor != null) {
            doctor.getCommandSpec().usageMessage().footer(DoctorCommand.footer());
        }
        line.registerConverter(Duration.class, Main::duration);
        line.setExpandAtFiles(false);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpWidth(Math.max(60, Math.min(120, console.columns())));
        line.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
        line.setOut(new PrintWriter(new OutputStreamWriter(console.out(), console.charset()), true));
        line.setErr(new PrintWriter(new OutputStreamWriter(console.err(), console.charset()), true));
        line.setParameterExceptionHandler((e, args) -> badUsage(e, args, console));
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            boolean debug = Arrays.asList(rawArguments).contains("--debug");
            Failure why = new Failure("INTERNAL_ERROR", e + (debug ? "" : "; --debug shows the stack trace"), "", e);
            console.fail(why, debug);
            document(why, command, rawArguments, console);
            return FAILED;
        });
        return line.execute(rawArguments);
    }

    private static Map<String, Supplier<Callable<Integer>>> commands(
            String[] rawArguments, Lockers lockers, Console console, StopSignal stop) {
        Map<String, Supplier<Callable<Integer>>> commands = new LinkedHashMap<>();
        commands.put("hold", () -> new HoldCommand(lockers, console, stop));
        commands.put("status", () -> new StatusCommand(lockers, console, Paths.get("/proc")));
        commands.put("touch", () -> new TouchCommand(lockers, console, stop));
        commands.put("evict", () -> new EvictCommand(lockers, console));
        commands.put("attach", () -> new AttachCommand(console));
        commands.put(
                "doctor",
                () -> new DoctorCommand(
                        lockers,
                        console,
                        Host.current(),
                        BackendPath.of(rawArguments, System.getenv(), System.getProperty("user.home"))));
        commands.put("completion", () -> new DocumentCommands.Completion(console));
        commands.put("man", () -> new DocumentCommands.Manual(console));
        return commands;
    }

    private static Duration duration(String text) {
        try {
            return Durations.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    private static int badUsage(ParameterException e, String[] args, Console console) {
        CommandLine command = e.getCommandLine();
        // Arguments are in it byte by byte.
        String message = FileNames.text(RawArguments.bytes(e.getMessage()), console.charset());
        console.warn(message);
        console.err().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        document(new Failure("BAD_USAGE", message), command, args, console);
        return CommandLine.ExitCode.USAGE;
    }

    private static void document(Failure why, CommandLine command, String[] args, Console console) {
        if (Arrays.asList(args).contains("--json")) {
            console.document(why.addTo(
                    new Json().put("command", command.getCommandName()).put("result", "failed")));
        }
    }

    private static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return "pagelock " + (version == null ? "(version unknown outside its jar)" : version);
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "name a command: hold, status, touch, evict, attach or doctor");
    }
}
