// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(value = OS.LINUX, disabledReason = "expects the Linux backend")
@Timeout(600)
class DoctorProcessTest {
    @TempDir
    Path copies;

    @Test
    void ordinaryUserSeesTheLimitAndAWitnessedLock() throws Exception {
        try (Pagelock.Running doctor = new Pagelock().asUserWithLimit(65536).start("doctor", "--json")) {
            JsonObject json = doctor.expect(0).json();
            assertEquals("linux", json.get("backend").getAsString());
            assertEquals("jna", json.get("binding").getAsString());
            assertEquals(
                    65536,
                    json.getAsJsonArray("limits")
                            .get(0)
                            .getAsJsonObject()
                            .get("soft")
                            .getAsLong());
            assertEquals(
                    65536,
                    json.getAsJsonArray("limits")
                            .get(0)
                            .getAsJsonObject()
                            .get("hard")
                            .getAsLong());
            assertFalse(json.get("privileged").getAsBoolean());
            assertEquals(65536, json.get("lockable").getAsLong());
            assertEquals(0, json.get("lockedBytes").getAsLong());
            assertFalse(json.getAsJsonObject("lockAll").get("fits").getAsBoolean());
            long page = json.get("pageSize").getAsLong();
            assertEquals(
                    "{\"lockedBytes\":" + page + ",\"pageLocked\":true}",
                    json.getAsJsonObject("probe").get("during").toString());
            assertEquals(
                    "{\"lockedBytes\":0,\"pageLocked\":false}",
                    json.getAsJsonObject("probe").get("after").toString());
            JsonObject counters = json.getAsJsonObject("counters");
            assertTrue(counters.get("longestLockNanos").getAsLong() > 0, "the probe was timed");
            counters.remove("longestLockNanos");
            assertEquals(
                    "{\"openHandles\":0,\"leakedHandles\":0,\"lockedBytes\":0,\"lockedPages\":0,"
                            + "\"systemLockedBytes\":0,\"leftoverBytes\":0,\"failures\":{}}",
                    counters.toString());
            assertTrue(json.getAsJsonArray("toChange").get(0).getAsString().contains("RLIMIT_MEMLOCK"));
            assertEquals("", doctor.err());
        }
    }

    @Test
    void userWhoMayLockNothingGetsTheWholeReportAndStatusOne() throws Exception {
        try (Pagelock.Running doctor = new Pagelock().asUserWithLimit(0).start("doctor")) {
            doctor.expect(1);
            assertTrue(doctor.out().contains("probe       failed: cannot lock"), doctor::toString);
            assertTrue(doctor.out().contains("failures: NOT_PERMITTED 1"), doctor::toString);
            assertTrue(doctor.out().contains("to change   "), doctor::toString);
            assertTrue(doctor.err().startsWith("pagelock: cannot lock"), doctor::toString);
        }
    }

    @Test
    void withoutABackendTheReportIsWholeAndTheStatusOne() throws Exception {
        try (Pagelock.Running doctor = new Pagelock().withoutBackends().start("doctor")) {
            doctor.expect(1);
            assertTrue(doctor.out().contains("backend     none: "), doctor::toString);
            assertTrue(doctor.out().contains("to change   Add the artifact"), doctor::toString);
        }
        try (Pagelock.Running doctor = new Pagelock().withoutBackends().start("doctor", "--json")) {
            assertEquals("NOT_SUPPORTED", doctor.expect(1).json().get("reason").getAsString());
        }
    }
}
