// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * {@link Soak} in a JVM of its own, as long as {@code -Dpagelock.soak=20m} says. Not in every build as long as it still finds a
 * page that is not locked under a handle: on JDK 25 within a minute, on JDK 17 within ten.
 */
@EnabledOnOs(OS.LINUX)
@EnabledIfSystemProperty(
        named = "pagelock.soak",
        matches = ".+",
        disabledReason = "only on demand: -Dpagelock.soak=20m")
class SoakTest {
    private static final Duration TIME = Duration.parse("PT" + System.getProperty("pagelock.soak", "0s"));

    @Test
    void handlesAndKernelAgreeUnderLoad() {
        long seed = Long.getLong("pagelock.soak.seed", System.nanoTime());
        ChildJvm.in(Life.ROOT)
                .within(TIME.plusMinutes(4))
                .run(Soak.class, Long.toString(TIME.toSeconds()), Long.toString(seed))
                .succeeded();
    }
}
