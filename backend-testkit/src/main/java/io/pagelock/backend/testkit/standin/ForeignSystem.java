// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.pagelock.Availability;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Tests a backend on the class path of a system that is not its own. */
public final class ForeignSystem {
    private ForeignSystem() {}

    /**
     * Checks, in a separate JVM, that the property {@value PageLocker#BACKEND_PROPERTY} does not force a backend on
     * this system, and that the report says why. Skipped on the backend's own system.
     *
     * @param provider the backend's provider, which ServiceLoader finds on the class path
     */
    public static void cannotBeForced(BackendProvider provider) {
        String refusal = provider.refusal(Host.current()).orElse("");
        assumeFalse(refusal.isEmpty(), "this is the system of " + provider.name());
        String report = new ChildJvm()
                .options("-D" + PageLocker.BACKEND_PROPERTY + "=" + provider.name())
                .run(ForeignSystem.class)
                .succeeded();
        assertTrue(report.contains("'" + provider.name() + "'") && report.contains("cannot be used"), report);
        assertTrue(report.contains(refusal), report);
    }

    /**
     * Returns the JVM that {@link #cannotBeForced} starts. Prints why there is no backend.
     *
     * @param arguments none
     * @throws IOException if it cannot print
     */
    public static void main(String[] arguments) throws IOException {
        Availability availability = PageLocker.availability();
        assertFalse(availability.isAvailable());
        try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            out.write(availability.report().getBytes(StandardCharsets.UTF_8));
        }
    }
}
