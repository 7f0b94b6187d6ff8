// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import io.pagelock.PageLocker;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.ProcWitness;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The real kernel is the witness: VmLck of the process, read from outside. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the witness is /proc")
@Timeout(600)
class HoldProcessTest {
    private static final long MIB = 1 << 20;
    private static final long PAGE = PageLocker.system().pageSize();
    private static final long LIMIT = 64 << 10;

    @TempDir
    Path dir;

    @TempDir
    Path copies;

    private Path file(String name, long bytes) throws IOException {
        Path path = dir.resolve(name);
        Files.createDirectories(path.getParent());
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(bytes);
        }
        return path;
    }

    /** Children start with the limits and privileges of this JVM. */
    private static void needsRoomFor(long bytes) {
        assumeTrue(
                PageLocker.system().forecast(bytes).fits() != Tristate.NO,
                () -> "the limit here is below " + bytes + " bytes: "
                        + PageLocker.system().limits());
    }

    private Pagelock ordinaryUser() throws IOException {
        Pagelock.open(dir);
        return new Pagelock().asUserWithLimit(LIMIT);
    }

    @Test
    void largeFileIsLockedByTheKernelsAccountUntilTheSignal() throws Exception {
        needsRoomFor(64 * MIB);
        Path file = file("large file", 64 * MIB);
        try (Pagelock.Running hold = new Pagelock().start("hold", file)) {
            hold.awaitReady();
            assertEquals(64 * MIB, hold.lockedBytes());
            hold.signal("TERM").expect(0);
            assertTrue(hold.out().contains("unlocked: 1 file, 67108864 bytes (64 MiB)"), hold::toString);
            assertTrue(hold.out().endsWith("locked according to the kernel: 0 bytes\n"), hold::toString);
        }
    }

    @Test
    void directoryOfAThousandSmallFilesIsLocked() throws Exception {
        needsRoomFor(1000 * PAGE);
        for (int i = 0; i < 1000; i++) {
            Files.writeString(dir.resolve("f" + i), "some text");
        }
        try (Pagelock.Running hold = new Pagelock().start("hold", "--json", dir)) {
            hold.awaitLineOnStandardError("ready");
            assertEquals(1000 * PAGE, hold.lockedBytes());
            hold.signal("TERM").expect(0);
            JsonObject json = hold.json();
            assertEquals(1000, json.getAsJsonArray("files").size());
            assertEquals(9000, json.get("bytes").getAsLong());
            assertEquals(1000 * PAGE, json.get("lockedBytes").getAsLong());
            assertEquals(
                    "{\"before\":0,\"ready\":" + 1000 * PAGE + ",\"after\":0}",
                    json.get("systemLockedBytes").toString());
            assertEquals("signal", json.get("endedBy").getAsString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM", "HUP"})
    void everySignalUnlocksSaysSoAndIsDone(String signal) throws Exception {
        assumeTrue(!isIgnored(signal), "this JVM was started with " + signal + " ignored, and so are its children");
        try (Pagelock.Running hold = new Pagelock().start("hold", file("a", 1))) {
            hold.awaitReady();
            hold.signal(signal).expect(0);
            assertTrue(hold.out().contains("unlocked: 1 file"), hold::toString);
            assertEquals("", hold.err().replaceAll("locking: .*\n", ""));
        }
    }

    private static boolean isIgnored(String signal) {
        int number = signal.equals("HUP") ? 1 : signal.equals("INT") ? 2 : 15;
        return (Long.parseUnsignedLong(ProcWitness.status("SigIgn"), 16) >> number - 1 & 1) == 1;
    }

    @Test
    void timeEndsTheHold() throws Exception {
        try (Pagelock.Running hold = new Pagelock().start("hold", "--for", "10ms", file("a", 1))) {
            hold.awaitReady().expect(0);
            assertTrue(hold.out().contains("unlocked: 1 file"), hold::toString);
        }
    }

    @Test
    void ordinaryUserOverTheLimitIsToldBothNumbersAndTheRemedy() throws Exception {
        Path file = file("a", 64 * MIB);
        try (Pagelock.Running hold = ordinaryUser().start("hold", file)) {
            hold.expect(1);
            assertTrue(hold.err().contains("67108864 bytes"), hold::toString);
            assertTrue(hold.err().contains("65536 bytes"), hold::toString);
            assertTrue(hold.err().contains("RLIMIT_MEMLOCK"), hold::toString);
            assertTrue(hold.err().contains(file.toString()), hold::toString);
            assertFalse(hold.err().contains("\tat "), hold::toString);
            assertEquals("", hold.out());
        }
        try (Pagelock.Running hold = new Pagelock().asUserWithLimit(LIMIT).start("hold", "--json", file)) {
            hold.expect(1);
            assertEquals("failed", hold.json().get("result").getAsString());
            assertEquals("OVER_LIMIT", hold.json().get("reason").getAsString());
            assertEquals(
                    0,
                    hold.json()
                            .getAsJsonObject("systemLockedBytes")
                            .get("after")
                            .getAsLong());
        }
    }

    @Test
    void bestEffortLocksExactlyWhatTheLimitAllows() throws Exception {
        Path file = file("a", 64 * MIB);
        file("b", 10);
        try (Pagelock.Running hold = ordinaryUser().start("hold", "--best-effort", file, dir.resolve("b"))) {
            hold.awaitReady();
            assertEquals(LIMIT, hold.lockedBytes());
            hold.signal("TERM").expect(0);
            assertTrue(hold.err().contains("not locked (65536 of 67108864 bytes are): " + file), hold::toString);
            assertTrue(hold.err().contains("not locked (0 of 10 bytes are): " + dir.resolve("b")), hold::toString);
        }
    }

    @Test
    void fileWithoutPermissionIsNamedOrLeftOut() throws Exception {
        Path secret = file("secret", 10);
        file("open", 10);
        Files.setPosixFilePermissions(secret, Set.of());
        Pagelock user = ordinaryUser();
        Files.setPosixFilePermissions(dir.resolve("open"), PosixFilePermissions.fromString("rw-r--r--"));
        try (Pagelock.Running hold = user.start("hold", "--for", "1ms", dir)) {
            hold.expect(1);
            assertTrue(hold.err().contains(secret + ": no permission to read it"), hold::toString);
        }
        try (Pagelock.Running hold = user.start("hold", "--for", "1ms", "--best-effort", "--json", dir)) {
            hold.expect(0);
            assertEquals("partial", hold.json().get("result").getAsString());
            assertEquals(PAGE, hold.json().get("lockedBytes").getAsLong());
            assertTrue(hold.err().contains(secret + ": no permission to read it"), hold::toString);
        }
    }

    @Test
    void sparseFileAboveTwoGibibytesIsLockedOnFault() throws Exception {
        long bytes = 2500 * MIB + 1;
        needsRoomFor(bytes);
        try (Pagelock.Running hold = new Pagelock().start("hold", "--on-fault", file("a", bytes))) {
            hold.awaitReady();
            assertEquals(2500 * MIB + PAGE, hold.lockedBytes());
            hold.signal("TERM").expect(0);
        }
    }

    @Test
    void signalWhileLockingUnlocksAndFails() throws Exception {
        // On fault this costs no memory, and still takes seconds for its many steps.
        long bytes = 8L << 40;
        needsRoomFor(2500 * MIB);
        try (Pagelock.Running hold = new Pagelock().start("hold", "--json", "--on-fault", file("a", bytes))) {
            hold.awaitLineOnStandardError("locking: .*");
            hold.signal("TERM").expect(1);
            assertEquals("INTERRUPTED", hold.json().get("reason").getAsString());
            assertEquals(
                    0,
                    hold.json()
                            .getAsJsonObject("systemLockedBytes")
                            .get("after")
                            .getAsLong());
            assertTrue(hold.err().endsWith("interrupted by a signal while locking; everything is unlocked again\n"));
        }
    }

    @Test
    void filesThatNeedMoreMappingsThanThereAreFailWithTheKnob() throws Exception {
        // A mapping per gibibyte, so that a few sparse files stand for tens of thousands of small ones.
        for (int i = 0; i < 6; i++) {
            file("f" + i, 15L << 40);
        }
        try (Pagelock.Running hold = new Pagelock().start("hold", "--on-fault", dir)) {
            hold.expect(1);
            assertTrue(hold.err().contains("too many mappings: 92160 needed"), hold::toString);
            assertTrue(hold.err().contains("sysctl vm.max_map_count="), hold::toString);
            assertFalse(hold.err().contains("OutOfMemory"), hold::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "POSIX", "C.UTF-8"})
    void namesOutsideUtf8AreFoundInAnyLocale(String locale) throws Exception {
        byte[] name = (dir + "/a b\377\303\244").getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        Files.write(FileNames.path(name), new byte[10]);
        String script = "exec \"$@\" hold --json --for 1ms \"$(printf '%s/a b\\377\\303\\244' '" + dir + "')\"";
        try (Pagelock.Running hold = new Pagelock().with("LC_ALL", locale).startIn(script)) {
            hold.expect(0);
            JsonObject file = hold.json().getAsJsonArray("files").get(0).getAsJsonObject();
            assertEquals(dir + "/a b\\xffä", file.get("path").getAsString());
            assertTrue(file.get("uri").getAsString().endsWith("/a%20b%FF%C3%A4"), file.toString());
            assertEquals("locked", file.get("result").getAsString());
        }
        try (Pagelock.Running hold =
                new Pagelock().with("LC_ALL", locale).start("hold", "--json", "--for", "1ms", dir)) {
            hold.expect(0);
            assertEquals(PAGE, hold.json().get("lockedBytes").getAsLong());
        }
    }

    @Test
    void readerThatGoesAwayDoesNotEndTheHold() throws Exception {
        Path file = file("a", 1);
        String script = "{ \"$@\" hold --for 10ms '" + file + "'; echo status $? >&2; } | :";
        try (Pagelock.Running hold = new Pagelock().startIn(script)) {
            hold.expect(0);
            assertTrue(hold.err().endsWith("status 0\n"), hold::toString);
        }
        try (Pagelock.Running hold = new Pagelock().startIn("exec \"$@\" hold --for 10ms '" + file + "' >&- 2>&-")) {
            hold.expect(1);
        }
    }

    @Test
    void fileThatShrinksWhileHeldIsToldAndHarmsNobody() throws Exception {
        needsRoomFor(MIB);
        Path file = file("a", MIB);
        try (Pagelock.Running hold = new Pagelock().start("hold", file)) {
            hold.awaitReady();
            file("a", PAGE);
            hold.signal("TERM").expect(0);
            assertTrue(
                    hold.err().contains(file + " shrank from 1048576 to " + PAGE + " bytes while it was held"),
                    hold::toString);
            assertTrue(hold.out().endsWith("locked according to the kernel: 0 bytes\n"), hold::toString);
        }
    }
}
