// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A sixth system takes one directory, a line in the root pom and one in the BOM: a small backend for OpenBSD, with its stand-in,
 * put into a copy of what of this tree concerns all systems.
 */
class ScratchSystemTest {
    private static final String NAME = "backend-openbsd";

    @Test
    void aSixthSystemIsADirectoryAndTwoLines(@TempDir Path directory) throws Exception {
        Path tree = directory.resolve("tree");
        for (String file :
                List.of("pom.xml", "bom/pom.xml", "docs/platforms.md", "docs/errors.md", "tools/gather-docs")) {
            Files.createDirectories(tree.resolve(file).getParent());
            Files.copy(OutsideMaven.ROOT.resolve(file), tree.resolve(file));
        }
        for (Path docs : docsOfBackends()) {
            OutsideMaven.copy(docs, tree.resolve(OutsideMaven.ROOT.relativize(docs)));
        }
        OutsideMaven.copy(Path.of("src/test/resources/scratch"), tree.resolve(NAME));
        repeatLastBackend(tree.resolve("pom.xml"), "<module>");
        repeatLastBackend(tree.resolve("bom/pom.xml"), "<artifactId>pagelock-");

        assertTrue(new OutsideMaven(directory)
                .test(tree.resolve(NAME), 40)
                .contains("Running io.pagelock.backend.openbsd.OpenBsdContractTest"));

        String gathered = ChildProcess.of(tree.resolve("tools/gather-docs").toString())
                .run()
                .succeeded();
        assertEquals(
                List.of(
                        "| OpenBSD | stand-in | over a stand-in on Linux, in one test of the build |",
                        "## OpenBSD",
                        "Ranges only; see [the rules](semantics.md)."),
                added(tree, "docs/platforms.md"));
        assertEquals("## OpenBSD", added(tree, "docs/errors.md").get(0));
    }

    private static List<Path> docsOfBackends() throws IOException {
        try (Stream<Path> modules = Files.list(OutsideMaven.ROOT)) {
            return modules.filter(each -> each.getFileName().toString().startsWith("backend-"))
                    .map(each -> each.resolve("docs"))
                    .filter(Files::isDirectory)
                    .collect(Collectors.toList());
        }
    }

    /** Puts the line of the new system after that of the last one. */
    private static void repeatLastBackend(Path pom, String before) throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(pom));
        for (int i = lines.size() - 1; i >= 0; i--) {
            if (lines.get(i).contains(before + "backend-")) {
                lines.add(i + 1, lines.get(i).replaceAll("backend-[a-z]+", NAME));
                Files.write(pom, lines);
                return;
            }
        }
        throw new AssertionError("no backend in " + pom);
    }

    /** The lines that a page has more than ours, but for empty ones; every line of ours is still there. */
    private static List<String> added(Path tree, String page) throws IOException {
        List<String> more = new ArrayList<>(Files.readAllLines(tree.resolve(page)));
        for (String line : Files.readAllLines(OutsideMaven.ROOT.resolve(page))) {
            assertTrue(more.remove(line), page + " has lost: " + line);
        }
        more.removeIf(String::isEmpty);
        return more;
    }
}
