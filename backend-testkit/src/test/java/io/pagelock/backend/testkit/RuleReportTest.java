// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

class RuleReportTest {
    /** Cannot see what is locked, and does not look at limits. */
    static final class Subject extends BackendContract {
        @Override
        protected Harness open() {
            FakeKernel kernel = new FakeKernel(Systems.of("freebsd"));
            kernel.setLimit(2 * 4096);
            return new FakeHarness(kernel, new PassingBackend(new FakeBackend(kernel)) {
                @Override
                public long pageSize() {
                    return 2 * page;
                }
            });
        }
    }

    @TempDir
    Path directory;

    private String fileOfTheBuild;

    @BeforeEach
    void forgetFile() {
        fileOfTheBuild = System.clearProperty(RuleReport.FILE_PROPERTY);
    }

    @AfterEach
    void remember() {
        if (fileOfTheBuild == null) {
            System.clearProperty(RuleReport.FILE_PROPERTY);
        } else {
            System.setProperty(RuleReport.FILE_PROPERTY, fileOfTheBuild);
        }
    }

    private static void run(String... tests) {
        LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
        for (String test : tests) {
            request.selectors(selectMethod(Subject.class, test));
        }
        LauncherFactory.create().execute(request.build());
    }

    @Test
    void everyOutcomeIsALineWithItsReason() throws Exception {
        Path file = directory.resolve("rules.tsv");
        System.setProperty(RuleReport.FILE_PROPERTY, file.toString());
        run("R3_thePageSizeIsTheSystems");
        run("S4_aRangeWithAHoleIsNotMapped");
        run("L12_onFaultLocksPagesWhenTheyAreTouched");
        run("L1_lockedPagesAreResidentAndLocked");
        List<List<String>> lines = Files.readAllLines(file).stream()
                .map(line -> Arrays.asList(line.split("\t", -1)))
                .toList();
        assertEquals(4, lines.size());
        assertEquals(Subject.class.getName(), lines.get(0).get(0));
        assertEquals("R3_thePageSizeIsTheSystems", lines.get(0).get(1));
        assertEquals("failed", lines.get(0).get(2));
        assertTrue(lines.get(0).get(3).contains("4096"), lines.get(0).get(3));
        assertEquals(List.of("passed", ""), lines.get(1).subList(2, 4));
        assertEquals(
                List.of("skipped", "needs the capability LOCK_ON_FAULT"),
                lines.get(2).subList(2, 4));
        assertEquals(
                List.of("skipped", "needs to lock 16384 bytes, but this process may lock 8192"),
                lines.get(3).subList(2, 4));
    }

    @Test
    void aRunOn32BitsIsToldApart() throws Exception {
        Path file = directory.resolve("rules.tsv");
        System.setProperty(RuleReport.FILE_PROPERTY, file.toString());
        String model = System.setProperty("sun.arch.data.model", "32");
        try {
            run("S4_aRangeWithAHoleIsNotMapped");
        } finally {
            System.setProperty("sun.arch.data.model", model);
        }
        String line = Files.readString(file);
        assertTrue(line.startsWith(Subject.class.getName() + " on 32 bits\tS4_"), line);
    }

    @Test
    void withoutTheFileNothingIsWritten() throws Exception {
        run("S4_aRangeWithAHoleIsNotMapped");
        try (var files = Files.list(directory)) {
            assertEquals(0, files.count());
        }
    }
}
