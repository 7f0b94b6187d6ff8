// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.FileInputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the command ends where things go wrong around it: signals, output, heap, limits, and files that change. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "uses /proc and /dev/full")
@Timeout(600)
class EndsProcessTest {
    private static final int MIB = 1 << 20;
    // A second is promised; a loaded machine has its own idea of it. Without the signal, none of these would end.
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path dir;

    @TempDir
    Path copies;

    private Path file(String name, int bytes) throws Exception {
        return Files.write(dir.resolve(name), new byte[bytes]);
    }

    private static long millisToEnd(Pagelock.Running run, int status) throws Exception {
        long start = System.nanoTime();
        run.signal("TERM").expect(status);
        return Duration.ofNanos(System.nanoTime() - start).toMillis();
    }

    /** A backend whose calls to lock never return, as those of the kernel for a file with an unreadable block. */
    private Path stuckBackend() throws Exception {
        Path source = dir.resolve("StuckProvider.java");
        Files.writeString(
                source,
                "package stuck; import io.pagelock.spi.*; import java.lang.reflect.*; import java.util.Optional;\n"
                        + "public final class StuckProvider implements BackendProvider {\n"
                        + "  public String name() { return \"stuck\"; }\n"
                        + "  public Optional<String> refusal(Host host) { return Optional.empty(); }\n"
                        + "  public Backend open(Host host) {\n"
                        + "    Backend real = new io.pagelock.backend.linux.LinuxProvider().open(host);\n"
                        + "    return (Backend) Proxy.newProxyInstance(Backend.class.getClassLoader(),\n"
                        + "        new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {\n"
                        + "          while (method.getName().startsWith(\"lock\")) {\n"
                        + "            try { Thread.sleep(100_000); } catch (InterruptedException e) { }\n"
                        + "          }\n"
                        + "          try { return method.invoke(real, arguments); }\n"
                        + "          catch (InvocationTargetException e) { throw e.getCause(); }\n"
                        + "        });\n"
                        + "  }\n"
                        + "}\n");
        Path classes = Files.createDirectory(copies.resolve("classes"));
        assertEquals(
                0,
                ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "-cp",
                                System.getProperty("java.class.path"),
                                "-d",
                                classes.toString(),
                                source.toString()));
        Path services = classes.resolve("META-INF/services/io.pagelock.spi.BackendProvider");
        Files.createDirectories(services.getParent());
        Files.writeString(services, "stuck.StuckProvider\n");
        return classes;
    }

    @Test
    void aSignalEndsAHoldWhoseLockNeverReturns() throws Exception {
        Path file = file("a", 10);
        try (Pagelock.Running hold = new Pagelock()
                .jvmArguments("-Dio.pagelock.backend=stuck")
                .start("hold", "--json", "--backend-path", stuckBackend(), file)) {
            hold.awaitLineOnStandardError("locking: 0 bytes of 10 bytes, 0%, .*");
            hold.awaitLineOnStandardError("locking: 0 bytes of 10 bytes, 0%, .*");
            long millis = millisToEnd(hold, 1);
            assertTrue(millis < SOON.toMillis(), millis + " ms");
            assertEquals("INTERRUPTED", hold.json().get("reason").getAsString());
            assertTrue(
                    hold.err()
                            .contains(
                                    "pagelock: interrupted by a signal; everything is unlocked as this process ends\n"),
                    hold::toString);
        }
    }

    @Test
    void aSignalEndsAHoldWhoseWarningsNobodyReads() throws Exception {
        for (int i = 0; i < 3000; i++) {
            Files.createSymbolicLink(dir.resolve("link" + i), Path.of("/none"));
        }
        file("f", 1);
        Path unread = copies.resolve("unread");
        assertEquals(0, new ProcessBuilder("mkfifo", unread.toString()).start().waitFor());
        try (Pagelock.Running hold = new Pagelock().startIn("exec \"$@\" hold '" + dir + "' 2> '" + unread + "'");
                FileInputStream reader = new FileInputStream(unread.toFile())) {
            // It holds 64 KiB, and the links make more than thrice as much.
            while (reader.available() < 60_000) {
                Thread.sleep(10);
            }
            long millis = millisToEnd(hold, 1);
            assertTrue(millis < SOON.toMillis(), millis + " ms");
        }
    }

    @Test
    void aSignalIsHeededWhileManyFilesAreListedAndMapped() throws Exception {
        for (int i = 0; i < 20_000; i++) {
            file("f" + i, 1);
        }
        boolean ready = true;
        // A signal that comes too late, as where this process stalls, says nothing.
        for (int i = 0; i < 20 && ready; i++) {
            try (Pagelock.Running hold = new Pagelock().start("hold", "--best-effort", dir)) {
                while (mappings(hold, dir) < 100) {
                    Thread.sleep(1);
                }
                hold.signal("TERM").end();
                ready = hold.out().contains("ready");
            }
        }
        assertFalse(ready, "the signal never kept it from mapping all the rest");
    }

    private static int mappings(Pagelock.Running run, Path path) throws Exception {
        int count = 0;
        for (String line :
                Files.readAllLines(Path.of("/proc", Long.toString(run.pid()), "maps"), StandardCharsets.ISO_8859_1)) {
            count += line.contains(path.toString()) ? 1 : 0;
        }
        return count;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "doctor",
                "doctor --json",
                "status FILE",
                "status --json FILE",
                "hold --for 1ms FILE",
                "hold --json --for 1ms FILE",
                "touch FILE",
                "evict --json FILE",
                "man",
                "completion",
                "--help",
                "--version"
            })
    void outputThatCannotBeWrittenIsAFailure(String arguments) throws Exception {
        String call = "\"$@\" " + arguments.replace("FILE", "'" + file("a", 10) + "'");
        try (Pagelock.Running run = new Pagelock().startIn("exec " + call + " >/dev/full")) {
            assertTrue(
                    run.expect(1).err().endsWith("cannot write to standard output: No space left on device\n"),
                    run::toString);
        }
        try (Pagelock.Running run = new Pagelock().startIn("exec " + call + " >&-")) {
            assertTrue(
                    run.expect(1).err().endsWith("cannot write to standard output: Bad file descriptor\n"),
                    run::toString);
        }
        try (Pagelock.Running run = new Pagelock().startIn("{ " + call + "; echo status $? >&2; } | :")) {
            assertTrue(run.expect(0).err().endsWith("status 0\n"), run::toString);
        }
    }

    @Test
    void aFullHeapIsReportedInOneDocument() throws Exception {
        for (int i = 0; i < 20_000; i++) {
            file("f" + i, 0);
        }
        for (String each : new String[] {"7 hold", "9 hold", "7 status", "5 touch", "5 evict"}) {
            String command = each.substring(2);
            List<Object> arguments = new ArrayList<>(List.of(command, "--json", dir));
            if (command.equals("hold")) {
                arguments.addAll(List.of("--for", "1ms"));
            }
            try (Pagelock.Running run =
                    new Pagelock().jvmArguments("-Xmx" + each.charAt(0) + "m").start(arguments.toArray())) {
                JsonObject json = run.expect(1).json();
                assertEquals("OUT_OF_HEAP", json.get("reason").getAsString());
                assertEquals(command, json.get("command").getAsString());
                assertEquals(
                        "PAGELOCK_OPTS=-Xmx1g",
                        json.get("remedies").getAsJsonArray().get(0).getAsString());
                assertFalse(run.err().contains("Self-suppression"), run::toString);
                assertTrue(run.err().contains("  to fix it: PAGELOCK_OPTS=-Xmx1g\n"), run::toString);
            }
        }
        try (Pagelock.Running hold = new Pagelock().jvmArguments("-Xmx1g").start("hold", "--for", "1ms", dir)) {
            hold.expect(0);
        }
    }

    /** Of which a mapping each would be more than a process may have. */
    @Test
    void statusOfAHugeSparseFileHasFewMappingsAtATime() throws Exception {
        Path shared = Path.of("/dev/shm");
        // Other file systems end at 16 TiB.
        boolean larger =
                Files.isWritable(shared) && Files.getFileStore(shared).type().equals("tmpfs");
        Path huge = Files.createTempFile(larger ? shared : dir, "pagelock", "huge");
        try {
            try (RandomAccessFile file = new RandomAccessFile(huge.toFile(), "rw")) {
                file.setLength((larger ? 100L : 15L) << 40);
            }
            look(huge);
        } finally {
            Files.delete(huge);
        }
    }

    private static void look(Path huge) throws Exception {
        try (Pagelock.Running status = new Pagelock().start("status", huge)) {
            int most = 0;
            for (int seen = 0; seen < 10; ) {
                Thread.sleep(100);
                int count = mappings(status, huge);
                seen += count > 0 ? 1 : 0;
                most = Math.max(most, count);
            }
            assertTrue(most <= 600, most + " mappings");
            String memory = Files.readString(Path.of("/proc", Long.toString(status.pid()), "status"))
                    .replaceAll("(?s).*VmHWM:\\s+(\\d+) kB.*", "$1");
            assertTrue(Long.parseLong(memory) < 400 << 10, memory + " kB");
            long millis = millisToEnd(status, 143);
            assertTrue(millis < SOON.toMillis(), millis + " ms");
        }
    }

    @Test
    void followingTheRemedyOnceIsEnough() throws Exception {
        Path asked = Files.createDirectory(dir.resolve("asked"));
        Files.write(asked.resolve("a"), new byte[3 * MIB]);
        Files.write(asked.resolve("b"), new byte[2 * MIB]);
        Pagelock.open(dir);
        String remedy;
        try (Pagelock.Running hold =
                new Pagelock().asUserWithLimit(64 << 10, 8 * MIB).start("hold", "--for", "1ms", asked)) {
            hold.expect(1);
            Matcher shell = Pattern.compile("'(ulimit -l \\d+)'").matcher(hold.err());
            assertTrue(shell.find(), hold::toString);
            remedy = shell.group(1);
            assertFalse(hold.err().matches("(?s).*\\bUSER\\b.*"), hold::toString);
        }
        try (Pagelock.Running hold = new Pagelock()
                .through("sh", "-c", remedy + " && exec \"$@\"", "sh")
                .asUserWithLimit(64 << 10, 8 * MIB)
                .start("hold", "--for", "1ms", asked)) {
            assertTrue(hold.expect(0).out().contains("locked: 2 files, 5242880 bytes (5 MiB)"), hold::toString);
        }
    }

    @Test
    void anUnknownPropertyIsNamed() throws Exception {
        try (Pagelock.Running run = new Pagelock()
                .jvmArguments("-Dio.pagelock.jmz=false", "-Dio.pagelock.solaris.call=mctl", "-Dio.pagelock.binding=jna")
                .start("doctor")) {
            assertTrue(
                    run.expect(0).err().startsWith("pagelock: the system property io.pagelock.jmz is unknown"),
                    run::toString);
            assertFalse(run.err().contains("io.pagelock.solaris.call is unknown"), run::toString);
            assertFalse(run.err().contains("io.pagelock.binding is unknown"), run::toString);
        }
    }

    @Test
    void whatHappensToAHeldFileIsReportedAtOnceAndAtTheEnd() throws Exception {
        Path over = file("over", MIB);
        Path grown = file("grown", MIB);
        Path replaced = file("replaced", MIB);
        Path deleted = file("deleted", MIB);
        Path quiet = file("quiet", MIB);
        try (Pagelock.Running hold = new Pagelock().start("hold", over, grown, replaced, deleted, quiet)) {
            hold.awaitReady();
            Files.copy(new java.io.ByteArrayInputStream(new byte[MIB]), copies.resolve("new"));
            assertEquals(
                    0,
                    new ProcessBuilder("cp", copies.resolve("new").toString(), over.toString())
                            .start()
                            .waitFor());
            Files.write(grown, new byte[10], StandardOpenOption.APPEND);
            Files.move(file("new", MIB), replaced, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            Files.delete(deleted);
            for (String each : List.of(
                    over + " was written to while it is held; .*",
                    grown + " grew from 1048576 to 1048586 bytes while it is held; the added part is not locked",
                    replaced + " was replaced by another file while it is held; .*",
                    deleted + " vanished while it is held; .*")) {
                hold.awaitOnStandardError("pagelock: " + each);
            }
            hold.signal("TERM").expect(0);
            assertTrue(hold.err().contains(over + " was written to while it was held"), hold::toString);
            assertTrue(hold.out().contains(", as locked at the start; 4 of them changed while held\n"), hold::toString);
            assertFalse(hold.err().contains(quiet.toString()), hold::toString);
        }
    }
}
