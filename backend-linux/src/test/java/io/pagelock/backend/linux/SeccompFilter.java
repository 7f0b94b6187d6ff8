// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.testkit.standin.StandIn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Words before a command that run it under a seccomp filter, as sandboxes and containers do: seccomp(2). Needs a C compiler. */
final class SeccompFilter {
    private SeccompFilter() {}

    /**
     * Builds a prefix.
     *
     * @param answers for example {@code mlock=0}, which answers success, or {@code msync=1}, which answers EPERM
     */
    static List<String> answering(String... answers) {
        List<String> words = new ArrayList<>();
        words.add(StandIn.program(Path.of("src/test/c/filter.c")).toString());
        words.addAll(List.of(answers));
        words.add("--");
        return words;
    }
}
