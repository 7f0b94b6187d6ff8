// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import io.pagelock.backend.testkit.ChildProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The pages that are gathered from beside each backend say what the backends say. */
class GatheredPagesTest {
    @Test
    void thePagesAreGatheredFromTheBackends() throws Exception {
        String output = ChildProcess.of(Path.of("..", "tools", "gather-docs").toString(), "--check")
                .run()
                .succeeded();
    }
}
