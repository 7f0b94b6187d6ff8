// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(value = OS.LINUX, disabledReason = "needs /proc")
@Timeout(600)
class StatusProcessTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path dir;

    @TempDir
    Path copies;

    /** A file whose first half was just written, and is in memory, and whose second half is a hole, which is not. */
    private Path halfResident() throws Exception {
        Path path = dir.resolve("half");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(MIB));
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            // The last byte makes one page resident at the end.
            channel.write(ByteBuffer.allocate(1), 2 * MIB - 1);
        }
        return path;
    }

    @Test
    void residentPagesAreCountedAndDrawn() throws Exception {
        Path half = halfResident();
        try (Pagelock.Running status = new Pagelock().start("status", "--json", half)) {
            status.expect(0);
            JsonObject file = status.json().getAsJsonArray("files").get(0).getAsJsonObject();
            long page = status.json().get("pageSize").getAsLong();
            assertEquals(2 * MIB / page, file.get("pages").getAsLong());
            assertEquals(MIB / page + 1, file.get("residentPages").getAsLong());
        }
        try (Pagelock.Running status = new Pagelock().with("LC_ALL", "C.UTF-8").start("status", half)) {
            status.expect(0);
            assertTrue(status.out().matches("\\|(█+) *░\\| +50\\.1%.*\n"), status::toString);
        }
        try (Pagelock.Running status = new Pagelock().with("LC_ALL", "C").start("status", half)) {
            status.expect(0);
            assertTrue(status.out().matches("\\|(#+) *\\.\\| +50\\.1%.*\n"), status::toString);
        }
    }

    @Test
    void lockedMappingsOfAProcessAreListedAndAddUpToTheKernelsCount() throws Exception {
        Path file = Files.write(dir.resolve("a file"), new byte[2 * MIB]);
        try (Pagelock.Running hold = new Pagelock().start("hold", file)) {
            hold.awaitReady();
            try (Pagelock.Running status = new Pagelock().start("status", "--pid", hold.pid())) {
                status.expect(0);
                assertTrue(
                        status.out().contains("2097152 bytes (2 MiB), 2097152 bytes (2 MiB) resident  " + file),
                        status::toString);
                assertTrue(status.out().contains("(java): 1 locked mapping, 2097152 bytes (2 MiB)"), status::toString);
            }
            try (Pagelock.Running status = new Pagelock().start("status", "--json", "--pid", hold.pid())) {
                JsonObject json = status.expect(0).json();
                assertEquals(hold.lockedBytes(), json.get("lockedBytes").getAsLong());
                assertEquals(hold.lockedBytes(), json.get("bytes").getAsLong());
                assertEquals(
                        file.toString(),
                        json.getAsJsonArray("mappings")
                                .get(0)
                                .getAsJsonObject()
                                .get("path")
                                .getAsString());
            }
            hold.signal("TERM").expect(0);
        }
    }

    @Test
    void processWithoutLocksHasNone() throws Exception {
        try (Pagelock.Running status = new Pagelock()
                .start("status", "--json", "--pid", ProcessHandle.current().pid())) {
            assertEquals(0, status.expect(0).json().getAsJsonArray("mappings").size());
        }
    }

    @Test
    void processThatIsNotThereFails() throws Exception {
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        try (Pagelock.Running status = new Pagelock().start("status", "--json", "--pid", gone.pid())) {
            status.expect(1);
            assertEquals("pagelock: no process " + gone.pid() + "\n", status.err());
            assertEquals("NO_SUCH_PROCESS", status.json().get("reason").getAsString());
        }
    }

    @Test
    void processOfAnotherUserFails() throws Exception {
        assumeTrue(
                Pagelock.isRoot()
                        || !ProcessHandle.of(1)
                                .orElseThrow()
                                .info()
                                .user()
                                .equals(ProcessHandle.current().info().user()),
                "process 1 is of this user");
        try (Pagelock.Running status = new Pagelock().asUserWithLimit(65536).start("status", "--pid", 1)) {
            status.expect(1);
            assertTrue(
                    status.err().startsWith("pagelock: process 1: not permitted to read /proc/1/smaps"),
                    status::toString);
        }
    }

    /** A process may write into its own name what looks like a line of status. */
    @Test
    void nameOfAProcessForgesNoFigure() throws Exception {
        for (String name : new String[] {"x\\rVmLck: 8 kB", "x\\rVmLck: x", "x\\nVmLck: 8 kB", "\\033[31m\\377"}) {
            Process hostile = new ProcessBuilder(
                            "sh", "-c", "printf '" + name + "' > /proc/$$/comm; echo ready; read line")
                    .start();
            try {
                hostile.inputReader().readLine();
                try (Pagelock.Running status = new Pagelock().start("status", "--json", "--pid", hostile.pid())) {
                    JsonObject json = status.expect(0).json();
                    assertEquals(0, json.get("lockedBytes").getAsLong(), status::toString);
                }
                try (Pagelock.Running status = new Pagelock().start("status", "--pid", hostile.pid())) {
                    assertEquals(1, status.expect(0).out().lines().count(), status::toString);
                    assertTrue(status.out().contains("\\x"), status::toString);
                    assertTrue(status.out().chars().allMatch(each -> each == '\n' || each >= ' '), status::toString);
                }
            } finally {
                hostile.destroyForcibly();
            }
        }
    }

    @Test
    void nameOfAFileForgesNoMapping() throws Exception {
        Path file = Files.write(dir.resolve("a\r00400000-00401000 r--p 00000000 00:00 0 "), new byte[MIB]);
        try (Pagelock.Running hold = new Pagelock().start("hold", file)) {
            hold.awaitReady();
            try (Pagelock.Running status = new Pagelock().start("status", "--json", "--pid", hold.pid())) {
                JsonObject json = status.expect(0).json();
                assertEquals(1, json.getAsJsonArray("mappings").size(), status::toString);
                JsonObject mapping = json.getAsJsonArray("mappings").get(0).getAsJsonObject();
                assertTrue(mapping.get("path").getAsString().contains("a\\x0d00400000-"), status::toString);
                assertEquals(MIB, mapping.get("bytes").getAsLong());
            }
            hold.signal("TERM").expect(0);
        }
    }

    /** A question that the kernel does not answer is no answer. */
    @Test
    void noCommandTakesUnknownPagesForAbsentOnes() throws Exception {
        assumeTrue(Pagelock.isRoot(), "only root can be another user");
        Path foreign = Files.write(dir.resolve("foreign"), new byte[1]);
        Files.setPosixFilePermissions(foreign, PosixFilePermissions.fromString("rw-r--r--"));
        Path secret = Files.write(dir.resolve("secret"), new byte[1]);
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        Pagelock.open(dir);
        Pagelock user = new Pagelock().asUserWithLimit(65536);
        try (Pagelock.Running evict = user.start("evict", foreign)) {
            assertTrue(evict.expect(0).out().startsWith("evicted: an unknown number of pages; Linux"), evict::toString);
        }
        try (Pagelock.Running evict = user.start("evict", "--json", foreign)) {
            assertTrue(evict.expect(0).json().get("residentPages").isJsonNull(), evict::toString);
        }
        try (Pagelock.Running touch = user.start("touch", secret)) {
            assertFalse(touch.expect(1).out().contains("in memory"), touch::toString);
            assertFalse(touch.err().contains("--best-effort"), touch::toString);
        }
    }

    @Test
    void residencyOfAForeignFileIsUnknownWithTheReason() throws Exception {
        assumeTrue(Pagelock.isRoot(), "needs files of another user");
        Path file = Files.write(dir.resolve("root's"), new byte[MIB]);
        Pagelock.open(dir);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        try (Pagelock.Running status = new Pagelock().asUserWithLimit(65536).start("status", "--json", file)) {
            JsonObject json =
                    status.expect(0).json().getAsJsonArray("files").get(0).getAsJsonObject();
            assertTrue(
                    json.get("unknownReason").getAsString().contains("run this as the owner (root)"), json::toString);
            assertTrue(status.err().contains("unknown of 1 file: since 5.2, Linux reports"), status::toString);
        }
    }
}
