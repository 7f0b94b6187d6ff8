// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.support.AbiTable;
import io.pagelock.backend.support.SystemNumbers;
import io.pagelock.backend.testkit.standin.ForeignSystem;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers against the facts collected, the override, and what the provider accepts. */
class IrixTableTest {
    /** A copy of the facts, with source and confidence. */
    private static final AbiTable FACTS = AbiTable.of(IrixTableTest.class, "constants.csv");

    @Test
    void everyNumberIsThatOfTheFactsWithItsConfidence() {
        AbiTable own = AbiTable.of(IrixNumbers.class, "numbers.csv");
        assertEquals(FACTS.errnos().numbers(), own.errnos().numbers());
        for (AbiTable.Row row : own.rows()) {
            assertEquals(FACTS.number(row.kind(), row.name()), row.number(), row.toString());
            assertEquals(FACTS.isConfirmed(row.kind(), row.name()), row.isConfirmed(), row.toString());
        }
    }

    @Test
    void whatIsNotConfirmedIsToldUntilTheProbeConfirmsIt(@TempDir Path directory) throws IOException {
        String notes = IrixNumbers.read(null, 64).notes().toString();
        assertTrue(notes.contains("not confirmed by any source: MCL_CURRENT, MCL_FUTURE;"), notes);
        Path probe = Files.writeString(
                directory.resolve("abi.csv"),
                "IRIX,LP64,const,MCL_CURRENT,0x1,abi-probe,verified\nIRIX,LP64,const,MCL_FUTURE,0x4,abi-probe,verified\n");
        SystemNumbers probed = IrixNumbers.read(probe, 64);
        assertEquals(4, probed.constant("MCL_FUTURE").orElse(0));
        assertFalse(
                probed.notes().toString().contains("not confirmed"),
                probed.notes().toString());
    }

    @ParameterizedTest
    @CsvSource({"IRIX, true", "IRIX64, true", "irix, true", "Linux, false", "'', false"})
    void onlyIrixIsAccepted(String osName, boolean accepted) {
        String refusal =
                new IrixProvider().refusal(new Host(osName, "6.5", "mips", 32)).orElse("");
        assertEquals(accepted, refusal.isEmpty(), refusal);
        assertTrue(accepted || refusal.contains("os.name is " + osName), refusal);
    }

    @Test
    void theProviderIsFoundAsAService() {
        assertTrue(
                ServiceLoader.load(BackendProvider.class).stream().anyMatch(each -> each.type() == IrixProvider.class));
    }

    @Test
    void theBackendCannotBeForcedOnAnotherSystem() {
        ForeignSystem.cannotBeForced(new IrixProvider());
    }
}
