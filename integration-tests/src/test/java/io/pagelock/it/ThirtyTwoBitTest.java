// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The assembled jars on a real 32-bit JVM, where pointers and size_t have 4 bytes. */
class ThirtyTwoBitTest {
    private static final String VARIABLE = "PAGELOCK_JVM32";

    /** Runs java in the unpacked system, in a mount namespace of its own, so that nothing stays mounted. */
    private static String java(String... arguments) throws Exception {
        String directory = System.getenv(VARIABLE);
        if (directory == null) {
            assertEquals(null, System.getenv("CI"), VARIABLE + " must be set in CI, see tools/jvm32");
        }
        assumeTrue(directory != null, VARIABLE + " names no directory made by tools/jvm32");
        assumeTrue(System.getenv("CI") != null || "root".equals(System.getProperty("user.name")), "chroot needs root");
        Path root = Path.of(directory, "root");
        List<String> command = new ArrayList<>(List.of(
                "unshare",
                "--mount",
                "sh",
                "-c",
                "root=$1 jars=$2 classes=$3; shift 3; mount -t proc proc \"$root/proc\""
                        + " && mount --bind \"$jars\" \"$root/app\" && mkdir -p \"$root/tests\""
                        + " && mount --bind \"$classes\" \"$root/tests\""
                        + " && exec chroot \"$root\" /usr/lib/jvm/jvm32/bin/java -cp '/app/*:/tests' \"$@\"",
                "sh",
                root.toString(),
                Jars.DIRECTORY.toString(),
                Jars.testClasses().toString()));
        command.addAll(List.of(arguments));
        return Jars.run(command);
    }

    @Test
    void aBufferIsLockedAndUnlocked() throws Exception {
        String output = java(LockOnce.class.getName());
        assertTrue(output.startsWith("0\n"), output);
        assertTrue(output.matches("(?s).*before 0\nduring (64|68)\nafter 0\n.*backend linux\n"), output);
    }

    @Test
    void theDoctorLocksAPageWithTheKernelAsWitness() throws Exception {
        String output = java("io.pagelock.cli.Main", "doctor", "--json");
        assertTrue(output.startsWith("0\n"), output);
        assertTrue(output.contains("\"bits\": 32"), output);
        assertTrue(output.contains("\"arch\": \"i386\""), output);
    }

    @Test
    void aFileIsHeld() throws Exception {
        Path file = Files.list(Jars.DIRECTORY)
                .filter(jar -> jar.getFileName().toString().startsWith("pagelock-core"))
                .findFirst()
                .orElse(null);
        assertNotNull(file);
        String output = java("io.pagelock.cli.Main", "hold", "--for", "100ms", "/app/" + file.getFileName());
        assertTrue(output.startsWith("0\n"), output);
        assertTrue(output.contains("\nready\n"), output);
    }
}
