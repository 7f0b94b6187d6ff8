// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.util.Map;

/** Holds the recorded answers of real kernels, for comparison with a stand-in, the {@link FakeKernel} or a kernel. */
public final class Recorded {
    private Recorded() {}

    /**
     * Returns what a system answered. The keys name cases; the answers are results of calls, {@code -1/ENOMEM} for a failure,
     * and numbers of pages. The resource {@code META-INF/pagelock/NAME/recorded.tsv} of its backend says in a third column
     * whether a row was recorded or read in the source.
     *
     * @param system the name of the backend
     * @return an unmodifiable map from keys to answers, in the order of the file
     * @throws IllegalStateException if nothing was recorded on this system
     */
    public static Map<String, String> of(String system) {
        return Facts.of(system, "recorded.tsv", 3).byKey();
    }
}
