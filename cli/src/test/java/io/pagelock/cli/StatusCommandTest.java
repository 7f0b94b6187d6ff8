// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.pagelock.MemoryRange;
import io.pagelock.Tristate;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class StatusCommandTest extends CommandTest {
    /** Makes the first pages of every file resident; a file is asked about in one call, from its start. */
    private void firstPagesResident(int pages) {
        long[] first = {0, 0};
        locker.resident = page -> {
            if (first[0] == 0 || page.address() != first[1]) {
                first[0] = page.address();
            }
            first[1] = page.end();
            return Tristate.of(page.address() < first[0] + pages * FakeLocker.PAGE);
        };
    }

    @Test
    void drawsOneLineAFileWithCounts() throws IOException {
        firstPagesResident(2);
        Path a = file("a", 4 * FakeLocker.PAGE);
        assertEquals(0, run("status", a));
        assertTrue(
                console.out().matches("\\|██  \\| +50\\.0%  2/4 pages  8192/16384 bytes  \\Q" + a + "\\E\n"),
                console.out());
    }

    @Test
    void stripSummarisesToTheWidthOfTheTerminal() throws IOException {
        console = TestConsole.terminal(120);
        firstPagesResident(500);
        assertEquals(0, run("status", file("a", 1000 * FakeLocker.PAGE)));
        String strip = console.out().substring(1, console.out().lastIndexOf('|'));
        assertEquals(52, strip.length());
        assertEquals("█".repeat(26) + " ".repeat(26), strip);
    }

    @Test
    void fallsBackToAsciiWhereTheCharacterSetHasNoBlocks() throws IOException {
        console = TestConsole.ascii();
        firstPagesResident(2);
        assertEquals(0, run("status", file("a", 4 * FakeLocker.PAGE)));
        assertTrue(console.out().startsWith("|##  |"), console.out());
    }

    @Test
    void unknownStaysUnknown() throws IOException {
        locker.resident = page -> Tristate.UNKNOWN;
        Path a = file("a", 2 * FakeLocker.PAGE);
        assertEquals(0, run("status", a));
        assertTrue(console.out().startsWith("|??|"), console.out());
        assertTrue(console.out().contains("unknown"), console.out());
        console = new TestConsole();
        assertEquals(0, run("status", "--json", a));
        JsonObject file = console.json().getAsJsonArray("files").get(0).getAsJsonObject();
        assertEquals(2, file.get("unknownPages").getAsLong());
        assertTrue(file.get("residentBytes").isJsonNull());
        assertTrue(file.get("residentPercent").isJsonNull());
    }

    @Test
    void jsonHoldsNumbers() throws IOException {
        firstPagesResident(1);
        Path a = file("a", 2 * FakeLocker.PAGE + 1);
        assertEquals(0, run("status", "--json", a));
        JsonObject file = console.json().getAsJsonArray("files").get(0).getAsJsonObject();
        assertEquals(
                "{\"path\":\"" + a + "\",\"bytes\":8193,\"pages\":3,\"residentPages\":1,\"unknownPages\":0,"
                        + "\"residentBytes\":4096,\"residentPercent\":33.3}",
                file.toString());
        assertEquals(4096, console.json().get("pageSize").getAsLong());
    }

    @Test
    void lastPageCountsOnlyTheBytesOfTheFile() throws IOException {
        assertEquals(0, run("status", file("a", FakeLocker.PAGE + 1)));
        assertTrue(console.out().contains("100.0%  2/2 pages  4097/4097 bytes"), console.out());
    }

    @Test
    void emptyFileIsSaidToBeEmpty() throws IOException {
        Path a = file("a", 0);
        assertEquals(0, run("status", a));
        assertEquals(a + ": empty, no pages\n", console.out());
    }

    @Test
    void fileThatCannotBeLookedAtFailsButTheOthersAreShown() throws IOException {
        Path a = file("a", 1);
        Path missing = dir.resolve("missing");
        assertEquals(1, run("status", missing, a));
        assertTrue(console.out().contains(a.toString()), console.out());
        assertTrue(console.err().contains(missing + ": no such file"), console.err());
        console = new TestConsole();
        assertEquals(1, run("status", "--json", missing, a));
        assertEquals("failed", console.json().get("result").getAsString());
        assertEquals("NO_SUCH_FILE", console.json().get("reason").getAsString());
        assertEquals(1, console.json().getAsJsonArray("files").size());
        assertEquals(1, console.json().getAsJsonArray("failed").size());
    }

    @Test
    void fileAboveOneSegmentIsOneLine() throws IOException {
        long bytes = (1L << 30) + FakeLocker.PAGE;
        locker.resident = page -> Tristate.NO;
        assertEquals(0, run("status", file("a", bytes)));
        assertEquals(1, console.out().lines().count());
        assertTrue(console.out().contains("0/262145 pages  0/" + bytes + " bytes"), console.out());
    }

    @Test
    void neitherFilesNorPidIsBadUsage() {
        assertEquals(2, run("status"));
        assertEquals(2, run("status", "--pid", "1", "x"));
        assertEquals(2, run("status", "--pid", "0"));
        assertEquals(2, run("status", "--pid", "x"));
    }

    @Test
    void noBackendFailsForFiles() throws IOException {
        assertEquals(1, run(NoBackend.LOCKERS, "status", "--json", file("a", 1)));
        assertEquals("NOT_SUPPORTED", console.json().get("reason").getAsString());
    }

    @Test
    void pagesOfTheFakeAreWhereTheTestThinksTheyAre() throws IOException {
        // A guard on the fixture: an unaligned range would shift every expectation above.
        locker.resident = page -> Tristate.of(
                page.equals(MemoryRange.of(page.address(), FakeLocker.PAGE).alignedTo(FakeLocker.PAGE)));
        assertEquals(0, run("status", "--json", file("a", 3 * FakeLocker.PAGE)));
        assertEquals(
                3,
                console.json()
                        .getAsJsonArray("files")
                        .get(0)
                        .getAsJsonObject()
                        .get("residentPages")
                        .getAsLong());
    }
}
