// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** {@link Soak} in a JVM of its own, for 4 seconds or as long as {@code -Dpagelock.soak=20m} says. */
@EnabledOnOs(OS.LINUX)
class SoakTest {
    private static final Duration TIME = Duration.parse("PT" + System.getProperty("pagelock.soak", "4s"));

    @Test
    void handlesAndKernelAgreeUnderLoad() {
        long seed = Long.getLong("pagelock.soak.seed", System.nanoTime());
        Life.ROOT
                .jvm()
                .within(TIME.plusMinutes(4))
                .run(Soak.class, Long.toString(TIME.toSeconds()), Long.toString(seed))
                .succeeded();
    }
}
