// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.sun.jna.Platform;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code doctor} in a JVM that says it is HP-UX or IRIX, which JNA does not know: what a user there meets. The C library is
 * that of this Linux, whose mlock and MCL_CURRENT happen to be the same.
 */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the other system's backend runs over this C library")
@Timeout(600)
class OtherSystemsTest {
    private static final String[] HPUX = {"-Dos.name=HP-UX", "-Dos.version=B.11.31"};
    private static final String[] IRIX = {"-Dos.name=IRIX64", "-Dos.version=6.5", "-Duser.language=tr"};

    @TempDir
    Path directory;

    /** What a user builds from JNA's sources, here taken from its jar. */
    @BeforeEach
    void supplyNativePart() throws Exception {
        String part = System.mapLibraryName("jnidispatch");
        try (InputStream in = Platform.class.getResourceAsStream(Platform.RESOURCE_PREFIX + "/" + part)) {
            Files.copy(in, directory.resolve(part));
        }
    }

    private Pagelock doctor(String[] system, String... more) {
        return new Pagelock()
                .jvmArguments("-Djna.boot.library.path=" + directory)
                .jvmArguments(system)
                .jvmArguments(more);
    }

    @Test
    void onHpuxJnaHasNoNativePartAndTheRemedyIsToBuildOne() throws Exception {
        try (Pagelock.Running run = new Pagelock().jvmArguments(HPUX).start("doctor", "--json")) {
            JsonObject json = run.expect(1).json();
            assertEquals("NOT_SUPPORTED", json.get("reason").getAsString());
            String remedy = json.getAsJsonArray("toChange").toString();
            for (String word : new String[] {
                "JNA brings no native library for HP-UX",
                "libjnidispatch",
                "-Djna.boot.library.path=DIRECTORY",
                "README.md of backend-hpux"
            }) {
                assertTrue(remedy.contains(word), () -> "no '" + word + "' in " + run);
            }
        }
    }

    @Test
    void onHpuxWithANativePartThePageIsLockedAndTheNumbersAreTold() throws Exception {
        try (Pagelock.Running run = doctor(HPUX).start("doctor", "--json")) {
            JsonObject json = run.expect(0).json();
            assertEquals("hpux", json.get("backend").getAsString());
            assertEquals("HP-UX B.11.31", json.get("system").getAsString());
            assertEquals(
                    "unwitnessed", json.getAsJsonObject("probe").get("result").getAsString());
            String notes = json.getAsJsonArray("notes").toString();
            assertTrue(notes.contains("numbers confirmed: EPERM, "), notes);
            assertTrue(notes.contains("EWOULDBLOCK"), notes);
            String open = notes.substring(notes.indexOf("not confirmed by any source: "));
            for (String word : new String[] {
                "MCL_CURRENT", "MCL_FUTURE", "MS_SYNC (unknown)", "PRIV_GLOBAL (unknown)", "-Dio.pagelock.hpux.abi=FILE"
            }) {
                assertTrue(open.contains(word), notes);
            }
        }
    }

    @Test
    void onHpuxTheOutputOfTheProbeConfirmsItsNumbers() throws Exception {
        Path probe = Files.writeString(
                directory.resolve("abi.csv"),
                "HP-UX,LP64,const,MS_SYNC,0x1,abi-probe,verified\nHP-UX,LP64,const,MS_ASYNC,0x2,abi-probe,verified\n");
        try (Pagelock.Running run =
                doctor(HPUX, "-Dio.pagelock.hpux.abi=" + probe).start("doctor")) {
            String out = run.expect(0).out();
            assertTrue(out.contains("note: numbers by abi-probe, from " + probe + ": MS_SYNC, MS_ASYNC\n"), out);
            assertTrue(out.contains("note: numbers confirmed: MS_SYNC, MS_ASYNC, EPERM, "), out);
            assertTrue(out.contains("note: not confirmed by any source: "), out);
            assertFalse(out.contains("MS_SYNC (unknown)"), out);
            assertFalse(out.contains("no sync"), out);
        }
    }

    /** In Turkish, where the small letter of I is another one. */
    @Test
    void onIrixTheNumbersAreToldAndOverridden() throws Exception {
        try (Pagelock.Running run = doctor(IRIX).start("doctor")) {
            String out = run.expect(0).out();
            assertTrue(out.contains("note: numbers confirmed: "), out);
            assertTrue(
                    out.contains("note: not confirmed by any source: MCL_CURRENT, MCL_FUTURE; give the output of"
                            + " tools/abi-probe with -Dio.pagelock.irix.abi=FILE\n"),
                    out);
        }
        Path probe = Files.writeString(
                directory.resolve("abi.csv"),
                "IRIX,LP64,const,MCL_CURRENT,0x1,abi-probe,verified\nIRIX,LP64,const,MCL_FUTURE,0x2,abi-probe,verified\n");
        try (Pagelock.Running run =
                doctor(IRIX, "-Dio.pagelock.irix.abi=" + probe).start("doctor")) {
            String out = run.expect(0).out();
            assertTrue(out.contains("from " + probe + ": MCL_CURRENT, MCL_FUTURE\n"), out);
            assertFalse(out.contains("not confirmed"), out);
        }
    }

    @Test
    void theProbeOfAnotherSystemIsRefusedWithARemedy() throws Exception {
        Path probe = Files.writeString(
                directory.resolve("abi.csv"), "HP-UX,LP64,const,MCL_CURRENT,0x1,abi-probe,verified\n");
        try (Pagelock.Running run =
                doctor(IRIX, "-Dio.pagelock.irix.abi=" + probe).start("doctor")) {
            run.expect(1);
            assertTrue(run.out().contains("is for HP-UX, not for IRIX"), run::toString);
            assertTrue(run.out().contains("Compile tools/abi-probe/abi-probe.c"), run::toString);
        }
    }
}
