// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** B4: the agent beside a program that brings pagelock and JNA itself: neither ends a lock of the other. */
@EnabledOnOs(OS.LINUX)
class BesideProgramsCopyTest {
    /** The program. Its argument is the prefix of its pagelock's packages; it does what it reads from standard input. */
    public static final class Locking {
        private static final ByteBuffer BUFFER = ByteBuffer.allocateDirect(64 << 10);

        private static String prefix;
        private static Class<?> api;
        private static AutoCloseable held;

        private Locking() {}

        public static void main(String[] args) throws Exception {
            prefix = args[0];
            System.out.println("begun");
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                act(line);
                System.out.println(line + " done");
            }
        }

        private static void act(String what) throws Exception {
            switch (what) {
                case "open" -> api = Class.forName(prefix + "io.pagelock.PageLocker");
                case "lock" -> held = (AutoCloseable) call("lock", ByteBuffer.class, BUFFER, options());
                case "lock all" ->
                    held = (AutoCloseable) call("lockAddressSpace", scope().getClass(), scope(), options());
                case "close" -> held.close();
                case "look" -> System.out.println("buffer " + isLocked());
                case "report" -> report();
                default -> throw new IllegalArgumentException(what);
            }
        }

        private static void report() throws Exception {
            MBeanServer server = ManagementFactory.getPlatformMBeanServer();
            ObjectName name = new ObjectName("io.pagelock:type=Agent");
            while (!server.isRegistered(name)) {
                Thread.sleep(50);
            }
            System.out.println("by " + server.getAttribute(name, "LockedBy"));
        }

        private static Object call(String method, Class<?> first, Object argument, Object options) throws Exception {
            Object locker = api.getMethod("system").invoke(null);
            return api.getMethod(method, first, options.getClass()).invoke(locker, argument, options);
        }

        private static Object scope() throws Exception {
            return Class.forName(prefix + "io.pagelock.AddressSpaceScope")
                    .getField("CURRENT_AND_FUTURE")
                    .get(null);
        }

        private static Object options() throws Exception {
            Class<?> type = Class.forName(prefix + "io.pagelock.LockOption");
            Object all = Array.newInstance(type, 1);
            Array.set(all, 0, type.getField("ON_FAULT").get(null));
            return all;
        }

        private static boolean isLocked() throws Exception {
            Object range = api.getMethod("rangeOf", ByteBuffer.class)
                    .invoke(api.getMethod("system").invoke(null), BUFFER);
            long address = (long) range.getClass().getMethod("address").invoke(range);
            boolean here = false;
            for (String line : Files.readAllLines(Path.of("/proc/self/smaps"), StandardCharsets.ISO_8859_1)) {
                if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                    String[] edges = line.split("[- ]");
                    here = Long.parseUnsignedLong(edges[0], 16) <= address
                            && address < Long.parseUnsignedLong(edges[1], 16);
                } else if (here && line.startsWith("VmFlags:")) {
                    return line.contains(" lo");
                }
            }
            throw new AssertionError(address);
        }
    }

    /** Calls C through its JNA, which is of another version than the agent's. */
    public static final class OtherJna {
        private OtherJna() {}

        public static void main(String[] args) throws Exception {
            Class<?> jna = Class.forName("com.sun.jna.Native");
            Field version = jna.getField("VERSION");
            version.setAccessible(true);
            int pointer = jna.getField("POINTER_SIZE").getInt(null);
            System.out.println("JNA " + version.get(null) + ", pointers of " + pointer + " bytes");
        }
    }

    private static AgentJvm start(String prefix, List<Path> jars, String... options) throws Exception {
        return AgentJvm.start(Map.of(), Jars.jvm(jars), options, Locking.class.getName(), prefix);
    }

    private static List<Path> relocated(Path directory) throws Exception {
        List<Path> jars = new ArrayList<>();
        for (Path jar : Jars.ofLinuxApplication()) {
            boolean ours = jar.getFileName().toString().startsWith("pagelock-");
            jars.add(ours ? Relocation.relocate(jar, "shaded", directory) : jar);
        }
        return jars;
    }

    private static void assertBothStayLocked(AgentJvm jvm) throws Exception {
        for (String lock : List.of("lock", "lock all")) {
            jvm.tell(lock);
            assertTrue(jvm.tell("look").contains("buffer true"));
            jvm.tell("close");
            assertTrue(jvm.tell("look").contains("buffer true"), lock);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"current,future,on-fault", "committed,interval=1m"})
    void B4_aCopyThatComesAfterTheAgentUnlocksNothingOfIt(String options) throws Exception {
        try (AgentJvm jvm = start("", Jars.ofLinuxApplication(), AgentJvm.agent(options))) {
            jvm.await("begun");
            jvm.tell("open");
            assertBothStayLocked(jvm);
            assertTrue(jvm.tell("report").contains("by the agent's own copy of pagelock"));
            assertTrue(jvm.end().startsWith("0\n"));
        }
    }

    @Test
    void B4_aRelocatedCopyThatComesAfterTheAgentUnlocksNothingOfIt(@TempDir Path directory) throws Exception {
        try (AgentJvm jvm = start("shaded.", relocated(directory), AgentJvm.agent("current,future,on-fault"))) {
            jvm.await("begun");
            jvm.tell("open");
            assertBothStayLocked(jvm);
        }
    }

    /** There the agent locks through the program's copy, so that one count is kept. */
    @ParameterizedTest
    @ValueSource(strings = {"", "shaded."})
    void B4_theAgentUsesTheCopyThatWasThereBefore(String prefix, @TempDir Path directory) throws Exception {
        List<Path> jars = prefix.isEmpty() ? Jars.ofLinuxApplication() : relocated(directory);
        try (AgentJvm jvm = start(prefix, jars)) {
            jvm.await("begun");
            jvm.tell("open");
            jvm.tell("lock");
            String output = WholeJvmTest.attach(jvm.pid(), List.of(), "committed,future,on-fault,interval=200ms");
            assertTrue(output.startsWith("0\n"), output);
            jvm.awaitLocked();
            jvm.tell("close");
            assertTrue(jvm.tell("look").contains("buffer true"));
            assertBothStayLocked(jvm);
            String report = jvm.tell("report");
            assertTrue(
                    report.contains("by the program's copy of pagelock, " + prefix + "io.pagelock.PageLocker"), report);
            assertTrue(jvm.end().startsWith("0\n"));
        }
    }

    /** One class loader of a JVM may load a file of native code: the agent must leave the program's to the program. */
    @Test
    void aJnaOfAnotherVersionLoadsItsOwnNativePart(@TempDir Path directory) throws Exception {
        Path jna = Path.of(System.getProperty("pagelock.otherJna"));
        try (java.util.jar.JarFile jar = new java.util.jar.JarFile(jna.toFile())) {
            String arch = System.getProperty("os.arch").equals("amd64") ? "x86-64" : System.getProperty("os.arch");
            Files.copy(
                    jar.getInputStream(jar.getEntry("com/sun/jna/linux-" + arch + "/libjnidispatch.so")),
                    directory.resolve("libjnidispatch.so"));
        }
        String output = Jars.jvm(List.of(jna))
                .options(
                        AgentJvm.agent("committed,on-fault"),
                        "-Djna.boot.library.path=" + directory,
                        "-Djna.nounpack=true")
                .run(OtherJna.class)
                .toString();
        assertEquals("0\nJNA 5.12.0, pointers of 8 bytes\n", output);
    }
}
