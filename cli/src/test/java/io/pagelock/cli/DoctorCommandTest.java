// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.Reason;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DoctorCommandTest extends CommandTest {
    private void assertSays(String line) {
        assertTrue(
                console.out()
                        .lines()
                        .anyMatch(each -> each.strip().replaceAll(" +", " ").equals(line)),
                () -> "no line '" + line + "' in\n" + console.out());
    }

    @Test
    void saysWhatThereIsAndLocksOnePage() {
        locker.limit = 1 << 20;
        assertEquals(0, run("doctor"));
        assertSays("system Fake 1");
        assertSays("backend fake");
        assertSays("+ fake: chosen: by the test");
        assertSays("- other: os.name is Fake, not Other");
        assertSays("note: a note");
        assertSays("page size 4096 bytes (4 KiB)");
        assertSays("limit FAKE_LIMIT (user): soft 1048576 bytes (1 MiB), hard 1048576 bytes (1 MiB), used 0 bytes");
        assertSays("locked now 0 bytes according to the kernel");
        assertSays("privilege FAKE_PRIVILEGE: no");
        assertSays("lockable 1048576 bytes (1 MiB)");
        assertSays("lock all would be charged 503808 bytes (492 KiB) for this small JVM; fits: yes");
        assertSays(
                "probe ok: locked according to the kernel: before 0 bytes (page locked: no), with one page locked 4096"
                        + " bytes (page locked: yes), after 0 bytes (page locked: no)");
        assertSays("to change to lock more than 1 MiB: Raise the fake limit");
        assertTrue(console.out().contains(System.getProperty("java.version")), console.out());
        assertEquals(FakeLocker.PAGE, locker.most);
        assertEquals(0, locker.lockedBytes());
    }

    /** A claim that holds only for what is committed when the lock is made. */
    @Test
    void aHeapThatGrowsIsNoted() {
        assertEquals(0, run("doctor"));
        assertSays("note: CURRENT alone does not lock the memory by which a Java heap grows; use CURRENT_AND_FUTURE,"
                + " or -Xms equal to -Xmx with -XX:+AlwaysPreTouch");
        locker.capabilities.remove(Capability.LOCK_ADDRESS_SPACE);
        console = new TestConsole();
        assertEquals(0, run("doctor"));
        assertFalse(console.out().contains("CURRENT alone"), console.out());
    }

    @Test
    void nothingToChangeWithoutALimit() {
        assertEquals(0, run("doctor"));
        assertSays("binding none");
        assertSays("to change nothing");
        assertSays("lockable unlimited (only by physical memory)");
    }

    @Test
    void jsonHoldsWhatScriptsNeed() {
        locker.limit = 1 << 20;
        assertEquals(0, run("doctor", "--json"));
        JsonObject json = console.json();
        assertEquals("done", json.get("result").getAsString());
        assertEquals("Fake 1", json.get("system").getAsString());
        assertEquals(System.getProperty("os.arch"), json.get("arch").getAsString());
        assertEquals("fake", json.get("backend").getAsString());
        assertEquals("none", json.get("binding").getAsString());
        assertEquals(4096, json.get("pageSize").getAsLong());
        JsonObject limit = json.getAsJsonArray("limits").get(0).getAsJsonObject();
        assertEquals(1 << 20, limit.get("soft").getAsLong());
        assertEquals(1 << 20, limit.get("hard").getAsLong());
        assertFalse(limit.get("unlimited").getAsBoolean());
        assertEquals("user", limit.get("scope").getAsString());
        assertEquals(0, json.get("lockedBytes").getAsLong());
        assertFalse(json.get("privileged").getAsBoolean());
        assertEquals(1 << 20, json.get("lockable").getAsLong());
        assertEquals(
                "{\"result\":\"done\",\"before\":{\"lockedBytes\":0,\"pageLocked\":false},"
                        + "\"during\":{\"lockedBytes\":4096,\"pageLocked\":true},"
                        + "\"after\":{\"lockedBytes\":0,\"pageLocked\":false}}",
                json.get("probe").toString());
        assertEquals("", console.err());
    }

    @Test
    void unlimitedIsNullWithItsOwnFlag() {
        assertEquals(0, run("doctor", "--json"));
        JsonObject json = console.json();
        assertTrue(json.getAsJsonArray("limits")
                .get(0)
                .getAsJsonObject()
                .get("soft")
                .isJsonNull());
        assertTrue(json.getAsJsonArray("limits")
                .get(0)
                .getAsJsonObject()
                .get("unlimited")
                .getAsBoolean());
        assertTrue(json.get("lockable").isJsonNull());
        assertTrue(json.get("lockableUnlimited").getAsBoolean());
    }

    @Test
    void countersAreThoseAfterTheProbe() {
        PageLock held = locker.lock(MemoryRange.of(16 * FakeLocker.PAGE, 2 * FakeLocker.PAGE));
        assertEquals(0, run("doctor"));
        assertSays("counters handles: 1 open, 2 leaked");
        assertSays("locked: 8192 bytes (8 KiB), 2 pages, under handles; 8192 bytes (8 KiB) according to the kernel;"
                + " 12288 bytes (12 KiB) that the kernel refused to unlock");
        assertSays("longest lock: 2469 microseconds");
        assertSays("failures: none");
        locker.knowsLockedBytes = false;
        locker.refusal = range -> Optional.of(Reason.OVER_LIMIT);
        console = new TestConsole();
        assertEquals(1, run("doctor"));
        assertSays("locked: 8192 bytes (8 KiB), 2 pages, under handles; unknown according to the kernel;"
                + " 12288 bytes (12 KiB) that the kernel refused to unlock");
        assertSays("failures: OVER_LIMIT 1");
        console = new TestConsole();
        assertEquals(1, run("doctor", "--json"));
        assertEquals(
                "{\"openHandles\":1,\"leakedHandles\":2,\"lockedBytes\":8192,\"lockedPages\":2,"
                        + "\"systemLockedBytes\":null,\"leftoverBytes\":12288,\"longestLockNanos\":4938268,"
                        + "\"failures\":{\"OVER_LIMIT\":2}}",
                console.json().get("counters").toString());
        held.close();
    }

    @Test
    void worksWithoutABackend() {
        assertEquals(1, run(NoBackend.LOCKERS, "doctor"));
        assertSays("backend none: no backend for this test");
        assertSays("- other: os.name is Fake, not Other");
        assertSays("to change Add one");
        assertTrue(console.out().contains(System.getProperty("os.name")), console.out());
        assertEquals("pagelock: no backend for this test\n", console.err());
        console = new TestConsole();
        assertEquals(1, run(NoBackend.LOCKERS, "doctor", "--json"));
        assertEquals("failed", console.json().get("result").getAsString());
        assertTrue(console.json().get("backend").isJsonNull());
        assertTrue(console.json().get("probe").isJsonNull());
        assertTrue(console.json().get("counters").isJsonNull());
        assertEquals("NOT_SUPPORTED", console.json().get("reason").getAsString());
    }

    @Test
    void refusedProbeFailsWithTheRemedy() {
        locker.refusal = range -> Optional.of(Reason.NOT_PERMITTED);
        assertEquals(1, run("doctor"));
        assertTrue(console.out().contains("probe       failed: cannot lock 4096 bytes"), console.out());
        assertSays("to change Raise the fake limit");
        console = new TestConsole();
        assertEquals(1, run("doctor", "--json"));
        JsonObject probe = console.json().getAsJsonObject("probe");
        assertEquals("failed", probe.get("result").getAsString());
        assertEquals("NOT_PERMITTED", probe.get("reason").getAsString());
        assertEquals(12, probe.get("errno").getAsInt());
    }

    @Test
    void lockThatTheSystemDoesNotCountIsAFailure() {
        locker.countsNothing = true;
        assertEquals(1, run("doctor"));
        assertTrue(console.err().contains("according to the kernel the page is not locked"), console.err());
    }

    @Test
    void lockWithoutAWitnessIsSaidToBeOne() {
        locker.knowsLockedBytes = false;
        locker.capabilities.remove(Capability.LOCKED_PAGES);
        assertEquals(0, run("doctor"));
        assertTrue(console.out().contains("accepted, but this system does not report what is locked"), console.out());
        console = new TestConsole();
        run("doctor", "--json");
        assertEquals(
                "unwitnessed",
                console.json().getAsJsonObject("probe").get("result").getAsString());
    }

    @Test
    void systemThatCannotLockTheAddressSpaceSaysSo() {
        locker.capabilities.remove(Capability.LOCK_ADDRESS_SPACE);
        assertEquals(0, run("doctor"));
        assertSays("lock all not possible on this system");
    }

    @Test
    void everyPropertyIsOnThePage() throws Exception {
        String page = java.nio.file.Files.readString(java.nio.file.Path.of("../docs/monitoring.md"));
        for (String name : KnownProperties.names()) {
            assertTrue(page.contains("| `" + name + "` |"), name);
        }
    }
}
