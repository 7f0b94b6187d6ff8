// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.pagelock.Capability;
import io.pagelock.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class HoldCommandTest extends CommandTest {
    /** The most that is locked at once. */
    private static final int STEP = 64 << 20;

    private static final long MIB = 1 << 20;

    private JsonObject fileOf(Path path) {
        for (var file : console.json().getAsJsonArray("files")) {
            if (file.getAsJsonObject().get("path").getAsString().equals(path.toString())) {
                return file.getAsJsonObject();
            }
        }
        throw new AssertionError(path + " is not in " + console.out());
    }

    private String result() {
        return console.json().get("result").getAsString();
    }

    @Test
    void locksEverythingThenUnlocksEverything() throws IOException {
        assertEquals(0, run("hold", "--for", "1ms", file("a", 10_000), file("b", 1)));
        assertEquals(4 * FakeLocker.PAGE, locker.most);
        assertEquals(0, locker.lockedBytes());
    }

    @Test
    void saysWhatIsLockedWithTheSystemAsWitnessBeforeReady() throws IOException {
        Path a = file("a", 10_000);
        file("d/b", 5000);
        file("d/c", 1);
        run("hold", "--for", "1ms", a, dir.resolve("d"));
        assertEquals(
                List.of(
                        "  " + a + ": 1 file, 10000 bytes (9.8 KiB)",
                        "  " + dir.resolve("d") + ": 2 files, 5001 bytes (4.9 KiB)",
                        "locked: 3 files, 24576 bytes (24 KiB), in pages of 4096",
                        "locked according to the kernel: 0 bytes before, 24 KiB now",
                        "holding for 0.001 s or until interrupted",
                        "ready",
                        "unlocked: 3 files, 24576 bytes (24 KiB)",
                        "locked according to the kernel: 0 bytes"),
                console.out().lines().toList());
    }

    @Test
    void signalEndsTheHoldAndEverythingIsUnlocked() throws Exception {
        Path a = file("a", 10_000);
        Thread hold = new Thread(() -> run("hold", "--json", a));
        hold.start();
        while (!console.err().contains("ready")) {
            Thread.onSpinWait();
        }
        assertEquals(3 * FakeLocker.PAGE, locker.lockedBytes());
        stop.request();
        hold.join();
        assertEquals(0, locker.lockedBytes());
        assertEquals("signal", console.json().get("endedBy").getAsString());
        assertEquals("done", result());
    }

    @Test
    void jsonHoldsNumbersForScripts() throws IOException {
        Path a = file("a", 10_000);
        Path empty = file("empty", 0);
        assertEquals(0, run("hold", "--json", "--for", "1ms", a, empty));
        JsonObject json = console.json();
        assertEquals("done", json.get("result").getAsString());
        assertEquals("fake", json.get("backend").getAsString());
        assertEquals(10_000, json.get("bytes").getAsLong());
        assertEquals(3 * FakeLocker.PAGE, json.get("lockedBytes").getAsLong());
        assertEquals(
                "{\"before\":0,\"ready\":12288,\"after\":0}",
                json.get("systemLockedBytes").toString());
        assertEquals("time", json.get("endedBy").getAsString());
        assertEquals(10_000, fileOf(a).get("bytes").getAsLong());
        assertEquals(3 * FakeLocker.PAGE, fileOf(a).get("lockedBytes").getAsLong());
        assertEquals("locked", fileOf(a).get("result").getAsString());
        assertEquals("empty", fileOf(empty).get("result").getAsString());
        assertTrue(console.err().lines().anyMatch("ready"::equals), console.err());
    }

    @Test
    void unknownCountOfTheSystemIsNullAndUnknown() throws IOException {
        locker.knowsLockedBytes = false;
        run("hold", "--json", "--for", "1ms", file("a", 1));
        assertEquals(
                "{\"before\":null,\"ready\":null,\"after\":null}",
                console.json().get("systemLockedBytes").toString());
        console = new TestConsole();
        run("hold", "--for", "1ms", file("a", 1));
        assertTrue(console.out().contains("unknown before, unknown now"), console.out());
    }

    @Test
    void emptyFilesAreNoErrorAndLockNothing() throws IOException {
        Path empty = file("empty", 0);
        assertEquals(0, run("hold", "--for", "1ms", empty));
        assertEquals(0, locker.calls);
        assertTrue(console.out().contains(empty + ": 1 file, 0 bytes, empty, nothing to lock"), console.out());
        assertTrue(console.out().lines().anyMatch("ready"::equals));
    }

    /** Holds for a moment, and again if it took more calls: where the machine is busy, steps do not grow as usual. */
    private int calls(int most, Path path) {
        int calls = Integer.MAX_VALUE;
        for (int i = 0; i < 20 && calls > most; i++) {
            int before = locker.calls;
            assertEquals(0, run("hold", "--for", "1ms", path), () -> console.err());
            calls = locker.calls - before;
        }
        return calls;
    }

    @Test
    void manySmallFilesCostFewCalls() throws IOException {
        for (int i = 0; i < 1000; i++) {
            file("f" + i, 100);
        }
        assertEquals(3, calls(3, dir));
        assertEquals(1000 * FakeLocker.PAGE, locker.most);
    }

    @Test
    void largeFilesAreLockedInStepsThatShowProgress() throws IOException {
        assertEquals(10, calls(10, file("a", 4L * STEP + 1)));
        assertEquals(4L * STEP + FakeLocker.PAGE, locker.most);
        assertTrue(console.err().contains("100%"), console.err());
    }

    @Test
    void fileAboveTwoGibibytesIsLockedWhole() throws IOException {
        assertEquals(0, run("hold", "--for", "1ms", file("a", (2L << 30) + 5000)), () -> console.err());
        assertEquals((2L << 30) + 2 * FakeLocker.PAGE, locker.most);
    }

    /** A step that ends one mapping and begins the next. */
    @Test
    void fileAboveTwoGibibytesIsLockedWholeWhereLocksAreSlow() throws IOException {
        locker.beforeLock = () -> LockSupport.parkNanos(1_000_000);
        assertEquals(0, run("hold", "--for", "1ms", file("a", (2L << 30) + 5000)), () -> console.err());
        assertEquals((2L << 30) + 2 * FakeLocker.PAGE, locker.most);
    }

    @Test
    void fileTwiceAndHardLinksCountOnce() throws IOException {
        Path a = file("a", 10_000);
        Path link = Files.createLink(dir.resolve("b"), a);
        assertEquals(0, run("hold", "--json", "--for", "1ms", a, a, link));
        assertEquals(10_000, console.json().get("bytes").getAsLong());
        assertEquals(1, console.json().getAsJsonArray("files").size());
        assertEquals(2, console.json().getAsJsonArray("skipped").size());
        assertTrue(console.err().contains("skipped " + link + ": the same file as " + a), console.err());
    }

    @Test
    void whyAFileCouldNotBeLockedAgainIsReported() throws Exception {
        Path a = file("a", 10_000);
        Thread hold = new Thread(() -> run("hold", "--json", "--on-change", "relock", a));
        hold.start();
        while (!console.err().contains("ready")) {
            Thread.onSpinWait();
        }
        Files.delete(a);
        Files.createDirectory(a);
        while (!console.err().contains("it cannot be locked again")) {
            Thread.onSpinWait();
        }
        stop.request();
        hold.join();
        assertEquals(
                a + ": no longer a regular file", fileOf(a).get("relockFailure").getAsString());
    }

    @Test
    void onFaultIsPassedOnAndRefusedWhereTheSystemLacksIt() throws IOException {
        Path a = file("a", 1);
        assertEquals(0, run("hold", "--on-fault", "--for", "1ms", a));
        assertTrue(console.out().contains("locked, of what is in memory: 1 file"), console.out());
        console = new TestConsole();
        locker.capabilities.remove(Capability.LOCK_ON_FAULT);
        assertEquals(1, run("hold", "--on-fault", "--json", a));
        assertEquals("NOT_SUPPORTED", console.json().get("reason").getAsString());
        // On fault, and for a moment what is in memory.
        assertEquals(2, locker.calls);
    }

    @Test
    void overTheLimitFailsWithoutTryingAndNothingIsLocked() throws IOException {
        locker.limit = 64 << 10;
        Path a = file("a", 64 * MIB);
        assertEquals(1, run("hold", a));
        assertEquals(0, locker.calls);
        assertEquals("", console.out());
        assertTrue(
                console.err().startsWith("pagelock: cannot lock " + a + ", 67108864 bytes (64 MiB): over the limit"),
                console.err());
        assertTrue(console.err().contains("67108864 of 65536"), console.err());
        assertTrue(console.err().contains("Raise the fake limit"), console.err());
        assertFalse(console.err().contains("\tat "), console.err());
    }

    @Test
    void sumOverTheLimitIsForeseenBeforeAnythingIsRead() throws IOException {
        locker.limit = 3 * MIB;
        assertEquals(1, run("hold", file("a", 2 * MIB), file("b", 2 * MIB)));
        assertEquals(0, locker.calls);
        assertTrue(
                console.err()
                        .contains("cannot lock 2 files, 4194304 bytes (4 MiB): over the limit: 4194304 of 3145728"),
                console.err());
        assertTrue(console.err().contains("Raise the fake limit"), console.err());
    }

    @Test
    void tooLittleMemoryIsForeseenExceptOnFault() throws IOException {
        locker.forecastReason = Reason.NO_LOCKABLE_MEMORY;
        locker.limit = 1000;
        Path a = file("a", MIB);
        assertEquals(1, run("hold", a));
        assertEquals(0, locker.calls);
        assertTrue(console.err().contains("out of lockable memory"), console.err());
        locker.refusal = range -> Optional.of(Reason.IO_ERROR);
        assertEquals(1, run("hold", "--on-fault", a));
        assertEquals(1, locker.calls);
    }

    @Test
    void failureInTheMiddleUnlocksWhatWasLocked() throws IOException {
        locker.limit = 3L * STEP;
        locker.forecasts = false;
        Path a = file("a", 5L * STEP);
        assertEquals(1, run("hold", "--json", a));
        assertTrue(locker.most > 2L * STEP && locker.most <= 3L * STEP, "" + locker.most);
        assertEquals(0, locker.lockedBytes());
        JsonObject json = console.json();
        assertEquals("failed", json.get("result").getAsString());
        assertEquals("OVER_LIMIT", json.get("reason").getAsString());
        assertEquals(12, json.get("errno").getAsInt());
        assertEquals("ENOMEM", json.get("errnoName").getAsString());
        assertEquals("mlock", json.get("function").getAsString());
        assertEquals(
                "Raise the fake limit",
                json.get("remedies").getAsJsonArray().get(0).getAsString());
        assertTrue(json.get("message").getAsString().startsWith(a.toString()), json.toString());
        assertEquals(0, json.get("lockedBytes").getAsLong());
        assertEquals("notLocked", fileOf(a).get("result").getAsString());
        assertTrue(console.err().contains("pagelock: " + a), console.err());
        assertFalse(console.err().contains("ready"), console.err());
    }

    @Test
    void refusalWithinABatchNamesTheFile() throws IOException {
        file("a", 10);
        Path b = file("b", 5000);
        file("c", 10);
        locker.refusal = range -> range.length() == 5000 ? Optional.of(Reason.IO_ERROR) : Optional.empty();
        assertEquals(1, run("hold", dir));
        assertTrue(console.err().contains("pagelock: " + b + ", 5000 bytes (4.9 KiB): cannot lock"), console.err());
    }

    @Test
    void fileThatShrinksWhileItIsBeingLockedIsNamedAsSuch() throws IOException {
        Path a = file("a", 100_000);
        locker.beforeLock = () -> truncate(a, 10);
        locker.refusal = range -> Optional.of(Reason.CANNOT_BE_PAGED_IN);
        assertEquals(1, run("hold", a));
        assertTrue(
                console.err().contains(a + " shrank from 100000 to 10 bytes while it was being locked: cannot lock"),
                console.err());
    }

    private static void truncate(Path path, long bytes) {
        try (var channel = java.nio.channels.FileChannel.open(path, java.nio.file.StandardOpenOption.WRITE)) {
            channel.truncate(bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void bestEffortLocksWhatFitsAndSaysWhatNot() throws IOException {
        locker.limit = 64 << 10;
        Path big = file("big", 64 * MIB);
        Path small = file("small", 10);
        assertEquals(0, run("hold", "--best-effort", "--json", "--for", "1ms", big, small));
        assertEquals(64 << 10, locker.most);
        assertEquals(0, locker.lockedBytes());
        assertEquals("partial", result());
        assertEquals("partial", fileOf(big).get("result").getAsString());
        assertEquals(64 << 10, fileOf(big).get("lockedBytes").getAsLong());
        assertEquals("OVER_LIMIT", fileOf(big).get("reason").getAsString());
        assertEquals("failed", fileOf(small).get("result").getAsString());
        assertTrue(console.err().contains("not locked (65536 of 67108864 bytes are): " + big), console.err());
        assertTrue(console.err().contains("not locked (0 of 10 bytes are): " + small), console.err());
    }

    @Test
    void bestEffortGoesOnAfterAFileThatCannotBeLocked() throws IOException {
        Path a = file("a", 10);
        Path b = file("b", 5000);
        Path c = file("c", 10);
        locker.refusal = range -> range.length() == 5000 ? Optional.of(Reason.IO_ERROR) : Optional.empty();
        assertEquals(0, run("hold", "--best-effort", "--json", "--for", "1ms", dir));
        assertEquals("locked", fileOf(a).get("result").getAsString());
        assertEquals("IO_ERROR", fileOf(b).get("reason").getAsString());
        assertEquals("locked", fileOf(c).get("result").getAsString());
    }

    @Test
    void bestEffortWithoutAnythingLockedFails() throws IOException {
        locker.limit = 0;
        assertEquals(1, run("hold", "--best-effort", "--json", file("a", 10), file("b", 10)));
        assertEquals("failed", result());
        assertEquals("OVER_LIMIT", console.json().get("reason").getAsString());
        assertTrue(console.err().contains("nothing could be locked"), console.err());
        assertFalse(console.err().contains("ready"), console.err());
    }

    @Test
    void onceTheLimitIsUsedUpNoFurtherFileIsTried() throws IOException {
        locker.limit = FakeLocker.PAGE;
        for (int i = 0; i < 100; i++) {
            file("f" + (100 + i), 10);
        }
        assertEquals(0, run("hold", "--best-effort", "--for", "1ms", dir));
        // The batch, the first file, the second that finds no room.
        assertEquals(2, locker.calls - 1);
    }

    @Test
    void missingFileFailsAllOrIsLeftOut() throws IOException {
        Path a = file("a", 10);
        Path missing = dir.resolve("missing");
        assertEquals(1, run("hold", "--json", a, missing));
        assertEquals("NO_SUCH_FILE", console.json().get("reason").getAsString());
        assertTrue(console.err().contains(missing + ": no such file"), console.err());
        assertEquals(0, locker.calls);
        console = new TestConsole();
        assertEquals(0, run("hold", "--best-effort", "--json", "--for", "1ms", a, missing));
        assertEquals("partial", result());
        assertEquals("NO_SUCH_FILE", fileOf(missing).get("reason").getAsString());
        assertTrue(fileOf(missing).get("bytes").isJsonNull());
    }

    @Test
    void changesWhileHeldAreToldAtTheEnd() throws Exception {
        Path shrunk = file("shrunk", 100_000);
        Path gone = file("gone", 100_000);
        Thread hold = new Thread(() -> run("hold", "--json", shrunk, gone));
        hold.start();
        while (!console.err().contains("ready")) {
            Thread.onSpinWait();
        }
        truncate(shrunk, 10);
        Files.delete(gone);
        stop.request();
        hold.join();
        assertEquals("done", result());
        assertEquals(
                "shrank from 100000 to 10 bytes", fileOf(shrunk).get("change").getAsString());
        assertEquals("vanished", fileOf(gone).get("change").getAsString());
        assertTrue(console.err().contains(shrunk + " shrank from 100000 to 10 bytes while it was held"), console.err());
        assertTrue(console.err().contains(gone + " vanished while it was held"), console.err());
    }

    @Test
    void signalWhileLockingUnlocksAndFails() throws IOException {
        locker.beforeLock = () -> {
            if (locker.calls == 2) {
                stop.request();
            }
        };
        assertEquals(1, run("hold", "--json", file("a", 5L * STEP)));
        assertEquals(3, locker.calls);
        assertEquals(0, locker.lockedBytes());
        assertEquals("INTERRUPTED", console.json().get("reason").getAsString());
        assertTrue(console.err().contains("interrupted by a signal while locking"), console.err());
        assertFalse(console.err().contains("ready"), console.err());
    }

    @Test
    void refusedUnlockFails() throws IOException {
        locker.unlockRefusal = Reason.BUSY;
        assertEquals(1, run("hold", "--json", "--for", "1ms", file("a", 10)));
        assertEquals("BUSY", console.json().get("reason").getAsString());
        assertTrue(console.err().contains("cannot unlock everything: cannot unlock: busy"), console.err());
    }

    @Test
    void noBackendFailsWithTheReport() throws IOException {
        assertEquals(1, run(NoBackend.LOCKERS, "hold", "--json", file("a", 10)));
        assertEquals("NOT_SUPPORTED", console.json().get("reason").getAsString());
        assertTrue(console.json().get("backend").isJsonNull());
        assertTrue(console.err().contains("no backend for this test"), console.err());
    }

    @Test
    void stackTraceOnlyWithDebug() throws IOException {
        Path missing = dir.resolve("missing");
        run("hold", missing);
        assertFalse(console.err().contains("\tat "), console.err());
        run("hold", "--debug", missing);
        assertTrue(console.err().contains("\tat "), console.err());
    }

    @Test
    void nameOutsideUtf8IsShownEscapedAndGivenExactlyAsUri() throws IOException {
        byte[] name = (dir + "/a\377").getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        Path path = FileNames.path(name);
        Files.write(path, new byte[10]);
        assertEquals(0, run("hold", "--json", "--for", "1ms", path));
        JsonObject file = console.json().getAsJsonArray("files").get(0).getAsJsonObject();
        assertEquals(dir + "/a\\xff", file.get("path").getAsString());
        assertTrue(file.get("uri").getAsString().endsWith("/a%FF"), file.toString());
    }

    @Test
    void allFilesAreInTheDocument() throws IOException {
        for (int i = 0; i < 10; i++) {
            file("f" + i, 10);
        }
        run("hold", "--json", "--for", "1ms", dir);
        JsonArray files = console.json().getAsJsonArray("files");
        assertEquals(10, files.size());
    }
}
