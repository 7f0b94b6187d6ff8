// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The pages that are gathered from beside each backend say what the backends say. */
class GatheredPagesTest {
    @Test
    void thePagesAreGatheredFromTheBackends() throws Exception {
        String output = Jars.run(List.of(Path.of("..", "tools", "gather-docs").toString(), "--check"));
        assertTrue(output.startsWith("0\n"), output);
    }
}
