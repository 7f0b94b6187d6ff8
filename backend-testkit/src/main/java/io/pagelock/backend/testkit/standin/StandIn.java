// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.backend.testkit.ProcessMemory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * Holds a stand-in, compiled and loaded, and the knobs by which a test controls it. There is one per library and
 * process. All that open it share its memory and settings, so tests that use it take turns.
 */
public final class StandIn implements ProcessMemory {
    private static final List<String> SOURCES = Collections.unmodifiableList(
            Arrays.asList("standin/standin.h", "standin/standin-memory.h", "remote/remote.h", "remote/remote-agent.c"));
    private static final int RTLD_LAZY = 1;
    /** Of the Linux underneath. */
    private static final int MS_ASYNC = 1;

    private static final int MS_INVALIDATE = 2;
    private static final int EBUSY = 16;

    private final Path file;
    private final NativeLibrary library;

    private StandIn(Path file, NativeLibrary library) {
        this.file = file;
        this.library = library;
    }

    /**
     * Compiles and loads a stand-in. Without a Linux or a C compiler the test is skipped with that reason; but where the
     * environment variable {@code CI} is set, it fails.
     *
     * @param source the C file, which may include {@code standin.h}, or {@code standin-memory.h} alone
     * @param options more options for the compiler
     * @return the stand-in, with all its knobs as they were initially
     */
    public static StandIn of(Path source, String... options) {
        Path file = compile(source, options);
        // Not global: its names may also be those of the C library.
        Map<String, ?> local = Collections.singletonMap(Library.OPTION_OPEN_FLAGS, RTLD_LAZY);
        StandIn standIn = new StandIn(file, NativeLibrary.getInstance(file.toString(), local));
        standIn.reset();
        return standIn;
    }

    /**
     * Compiles a shared library for the data model of this JVM, or skips or fails as {@link #of} does. What was compiled
     * before from the same files is not compiled again.
     *
     * @param source the C file
     * @param options more options for the compiler
     * @return the library, {@code libNAME.so} for {@code NAME.c}, and {@code libNAME-A-B.so} with {@code -DA=B}
     */
    public static Path compile(Path source, String... options) {
        List<String> all = new ArrayList<>(Arrays.asList("-fPIC", "-shared"));
        Collections.addAll(all, options);
        // While a library is loaded, another one of its name is not: dlopen(3), and JNA has a table of its own.
        String macros = Arrays.stream(options)
                .filter(each -> each.startsWith("-D"))
                .map(each -> each.substring(1).replaceFirst("^D", "-").replace('=', '-'))
                .collect(Collectors.joining());
        return build("lib" + name(source) + macros + ".so", source, all);
    }

    /**
     * Compiles a program, as {@link #compile} does a library.
     *
     * @param source the C file
     * @param options more options for the compiler
     * @return the program, {@code NAME} for {@code NAME.c}
     */
    public static Path program(Path source, String... options) {
        return build(name(source), source, Arrays.asList(options));
    }

    /**
     * Unpacks a C file that the testkit brings.
     *
     * @param name its name, such as {@code remote-agent.c}
     * @return where it is now
     */
    public static Path source(String name) {
        for (String each : SOURCES) {
            if (each.endsWith("/" + name)) {
                try {
                    return unpack(each, Paths.get("target", "standin").toAbsolutePath());
                } catch (IOException e) {
                    throw new AssertionError("cannot unpack " + name + ": " + e, e);
                }
            }
        }
        throw new IllegalArgumentException("no " + name + " in the testkit");
    }

    private static Path unpack(String resource, Path directory) throws IOException {
        Files.createDirectories(directory);
        Path file = directory.resolve(resource.substring(resource.lastIndexOf('/') + 1));
        try (InputStream in = StandIn.class.getResourceAsStream("/io/pagelock/backend/testkit/" + resource)) {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
        }
        return file;
    }

    private static String name(Path source) {
        return source.getFileName().toString().replaceAll("\\.c$", "");
    }

    private static Path build(String name, Path source, List<String> options) {
        if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).equals("linux")) {
            throw new TestAbortedException(
                    "a stand-in needs Linux underneath; this is " + System.getProperty("os.name"));
        }
        boolean narrow = Platform.isIntel() && !Platform.is64Bit();
        Path directory = Paths.get("target", narrow ? "standin-32" : "standin").toAbsolutePath();
        Path built = directory.resolve(name);
        Path log = directory.resolve(name + ".log");
        // Not over a library that this process may have loaded already.
        Path fresh = directory.resolve(name + ".new");
        List<String> command = new ArrayList<>(
                Arrays.asList("cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"));
        if (narrow) {
            // No other processor's compiler has this option. A JVM of 32 bits usually runs on a machine of 64.
            command.add("-m32");
        }
        Collections.addAll(command, "-I" + directory, "-o", fresh.toString(), source.toString());
        command.addAll(options);
        command.add("-lpthread");
        try {
            Files.createDirectories(directory);
            if (narrow) {
                requireNarrowCompiler(directory.resolve("bits.c"));
            }
            ByteArrayOutputStream inputs = new ByteArrayOutputStream();
            inputs.write(command.toString().getBytes(StandardCharsets.UTF_8));
            for (String each : SOURCES) {
                inputs.write(Files.readAllBytes(unpack(each, directory)));
            }
            try (Stream<Path> beside = Files.list(source.toAbsolutePath().getParent())) {
                for (Path each : beside.filter(each -> each.toString().matches(".*\\.[ch]"))
                        .sorted()
                        .collect(Collectors.toList())) {
                    inputs.write(Files.readAllBytes(each));
                }
            }
            Path of = directory.resolve(name + ".inputs");
            if (!Files.exists(built)
                    || !Files.exists(of)
                    || !Arrays.equals(Files.readAllBytes(of), inputs.toByteArray())) {
                Files.deleteIfExists(of);
                run(command, log);
                Files.move(fresh, built, StandardCopyOption.REPLACE_EXISTING);
                Files.write(of, inputs.toByteArray());
            }
        } catch (IOException e) {
            throw new AssertionError("cannot compile " + source + ": " + e, e);
        }
        return built;
    }

    private static void requireNarrowCompiler(Path probe) throws IOException {
        Files.write(probe, "#include <stdio.h>\nint main(void) { return 0; }\n".getBytes(StandardCharsets.US_ASCII));
        String program = probe.resolveSibling("bits").toString();
        if (start(Arrays.asList("cc", "-m32", "-o", program, probe.toString()), probe.resolveSibling("bits.log"))
                != 0) {
            throw missing("the C compiler cannot build for 32 bits, as this JVM needs it; install gcc-multilib", null);
        }
    }

    private static void run(List<String> command, Path log) throws IOException {
        if (start(command, log) != 0) {
            throw new AssertionError(String.join(" ", command) + " failed:\n"
                    + new String(Files.readAllBytes(log), StandardCharsets.UTF_8));
        }
    }

    private static int start(List<String> command, Path log) throws IOException {
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
        } catch (IOException e) {
            throw missing("no C compiler to build a stand-in with: " + e.getMessage(), e);
        }
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static RuntimeException missing(String reason, Throwable cause) {
        if (System.getenv("CI") != null) {
            throw new AssertionError(reason, cause);
        }
        return new TestAbortedException(reason, cause);
    }

    /**
     * Returns where the library is.
     *
     * @return an absolute path
     */
    public Path file() {
        return file;
    }

    /**
     * Calls one of the stand-in's functions.
     *
     * @param function the C name
     * @param arguments as JNA takes them
     * @return what it returned, as a C {@code long}
     */
    public long call(String function, Object... arguments) {
        return ((NativeLong) library.getFunction(function).invoke(NativeLong.class, arguments)).longValue();
    }

    /** Unlocks and unmaps everything, and sets every knob as it was initially. */
    public void reset() {
        library.getFunction("standin_reset").invokeVoid(new Object[0]);
    }

    /**
     * Reads a knob.
     *
     * @param knob its name in the C file
     * @return its value; -1 is unlimited
     */
    public long get(String knob) {
        return call("standin_get", knob);
    }

    /**
     * Turns a knob.
     *
     * @param knob its name in the C file
     * @param value its new value; -1 is unlimited
     */
    public void set(String knob, long value) {
        library.getFunction("standin_set").invoke(Pointer.class, new Object[] {knob, Pointer.createConstant(value)});
    }

    /**
     * Makes a call fail.
     *
     * @param function the name that the C file gives to {@code enter}
     * @param nth which call from now on; 0 for every call
     * @param errno the errno; 0 to end that
     */
    public void fail(String function, int nth, int errno) {
        library.getFunction("standin_fail").invokeVoid(new Object[] {function, nth, errno});
    }

    /**
     * Returns how often a function was called.
     *
     * @param function the name that the C file gives to {@code enter}
     * @return the number of calls since the last reset
     */
    public long calls(String function) {
        return call("standin_calls", function);
    }

    /**
     * Returns how the system was last asked to write pages back, where the C file reports {@code synced}.
     *
     * @return {@code sync} or {@code async}, with {@code  invalidate} after it if that was asked for; empty if it was not asked
     */
    public String lastSync() {
        int flags = (int) call("standin_last_sync");
        return flags == 0 ? "" : ((flags & 2) != 0 ? "async" : "sync") + ((flags & 4) != 0 ? " invalidate" : "");
    }

    @Override
    public long map(long pages) {
        return mapped("standin_map", pages);
    }

    @Override
    public long mapFile(long pages) {
        return mapped("standin_map_file", pages);
    }

    @Override
    public long mapNoReserve(long pages) {
        return mapped("standin_map_noreserve", pages);
    }

    private long mapped(String function, long pages) {
        Pointer address = library.getFunction(function).invokePointer(new Object[] {Pointer.createConstant(pages)});
        if (address == null) {
            throw new AssertionError(function + " of " + pages + " pages failed");
        }
        return Pointer.nativeValue(address);
    }

    @Override
    public void unmap(long address, long pages) {
        pages("standin_unmap", address, pages);
    }

    @Override
    public void remap(long address, long pages) {
        pages("standin_remap", address, pages);
    }

    @Override
    public void protect(long address, long pages) {
        pages("standin_protect", address, pages);
    }

    @Override
    public void truncate(long address, long pages) {
        pages("standin_truncate", address, pages);
    }

    private void pages(String function, long address, long pages) {
        int result = library.getFunction(function)
                .invokeInt(new Object[] {Pointer.createConstant(address), Pointer.createConstant(pages)});
        if (result != 0) {
            throw new AssertionError(function + " of " + pages + " pages failed");
        }
    }

    @Override
    public void touch(long address) {
        library.getFunction("standin_touch").invokeVoid(new Object[] {Pointer.createConstant(address)});
    }

    /**
     * Makes the next call of a function wait in the system until {@link #release}.
     *
     * @param function the name that the C file gives to {@code enter}
     */
    public void hold(String function) {
        library.getFunction("standin_hold").invokeVoid(new Object[] {function});
    }

    /**
     * Reports whether the call for which {@link #hold} was called waits now.
     *
     * @return whether it has arrived
     */
    public boolean arrived() {
        return library.getFunction("standin_arrived").invokeInt(new Object[0]) != 0;
    }

    /** Lets the waiting call continue. */
    public void release() {
        library.getFunction("standin_release").invokeVoid(new Object[0]);
    }

    /** Returns that of the Linux underneath. */
    @Override
    public long pageSize() {
        return NativeLibrary.getProcess().getFunction("getpagesize").invokeInt(new Object[0]);
    }

    /**
     * Asks the Linux underneath, which refuses to invalidate what is locked, msync(2). Lists of mappings leave some out while other
     * threads map and unmap.
     */
    @Override
    public boolean isLocked(long address) {
        Object[] arguments = {new Pointer(address & -pageSize()), new NativeLong(pageSize()), MS_ASYNC | MS_INVALIDATE};
        return Function.getFunction("c", "msync").invokeInt(arguments) != 0 && Native.getLastError() == EBUSY;
    }

    /**
     * Reports for each of some pages whether it is {@linkplain #isLocked locked}.
     *
     * @param address an address in the first page
     * @param pages how many pages
     * @return a 1 or a 0 for each
     */
    public String locked(long address, int pages) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pages; i++) {
            text.append(isLocked(address + i * pageSize()) ? '1' : '0');
        }
        return text.toString();
    }

    /** Asks the Linux underneath, by pagemap. */
    @Override
    public boolean isResident(long address) {
        byte[] entry = new byte[8];
        try (RandomAccessFile pagemap = new RandomAccessFile("/proc/self/pagemap", "r")) {
            pagemap.seek(Long.divideUnsigned(address, pageSize()) * 8);
            pagemap.readFully(entry);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return ByteBuffer.wrap(entry).order(ByteOrder.nativeOrder()).getLong() < 0;
    }

    /** Returns {@code VmLck} of {@code /proc/self/status}. */
    @Override
    public long lockedBytes() {
        return ProcWitness.lockedBytes();
    }
}
