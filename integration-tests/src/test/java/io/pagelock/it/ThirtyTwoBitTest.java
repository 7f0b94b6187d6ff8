// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.backend.testkit.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The assembled jars on a real 32-bit JVM, where pointers and size_t have 4 bytes. */
class ThirtyTwoBitTest {
    private static final String VARIABLE = "PAGELOCK_JVM32";

    private static String java(String main, String... arguments) throws Exception {
        String directory = System.getenv(VARIABLE);
        if (directory == null) {
            assertEquals(null, System.getenv("CI"), VARIABLE + " must be set in CI, see tools/jvm32");
        }
        assumeTrue(
                directory != null,
                VARIABLE
                        + " names no directory made by tools/jvm32, which needs gcc-multilib; so no backend is tested on 32"
                        + " bits either");
        return new ChildJvm()
                .java(Path.of(directory, "bin", "java"))
                .classPath(Jars.DIRECTORY + "/*:" + Jars.testClasses())
                .run(main, arguments)
                .toString();
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
        String output = java("io.pagelock.cli.Main", "hold", "--for", "100ms", file.toString());
        assertTrue(output.startsWith("0\n"), output);
        assertTrue(output.contains("\nready\n"), output);
    }
}
