// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.AbiTable;
import io.pagelock.backend.support.SystemNumbers;
import io.pagelock.backend.testkit.standin.ForeignSystem;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers against the facts collected, the override, and what the provider accepts. */
class HpuxTableTest {
    /** A copy of the facts, with source and confidence. */
    private static final AbiTable FACTS = AbiTable.of(HpuxTableTest.class, "constants.csv");

    @Test
    void everyErrnoIsThatOfTheFactsWithItsConfidence() {
        AbiTable own = AbiTable.of(HpuxNumbers.class, "numbers.csv");
        assertEquals(FACTS.errnos().numbers(), own.errnos().numbers());
        own.errnos()
                .numbers()
                .keySet()
                .forEach(name -> assertEquals(FACTS.isConfirmed("errno", name), own.isConfirmed("errno", name), name));
    }

    @ParameterizedTest
    @CsvSource({
        "MCL_CURRENT, 1",
        "MCL_FUTURE, 2",
        "MS_INVALIDATE, 4",
        "MS_SYNC,",
        "MS_ASYNC,",
        "PRIV_GLOBAL,",
        "PRIV_NONE,"
    })
    void noConstantIsConfirmedAndWhatIsUnknownStaysSo(String name, Long value) {
        SystemNumbers numbers = HpuxNumbers.read(null, 64);
        assertEquals(value == null ? OptionalLong.empty() : OptionalLong.of(value), numbers.constant(name));
        assertFalse(numbers.isConfirmed(name));
    }

    @Test
    void theProbeConfirmsAndOverrides() {
        SystemNumbers numbers = HpuxNumbers.read(Hpux.PROBE, Hpux.BITS);
        assertEquals(OptionalLong.of(1), numbers.constant("MS_SYNC"));
        assertTrue(numbers.isConfirmed("MCL_CURRENT"));
        assertEquals(OptionalLong.of(12), numbers.confirmed("struct_size", "struct privgrp_map"));
        assertEquals("EWOULDBLOCK", numbers.errno().name(246));
    }

    @Test
    void theProbeOfAnotherDataModelIsPassedOver() {
        SystemNumbers numbers = HpuxNumbers.read(Hpux.PROBE, 96 - Hpux.BITS);
        assertFalse(numbers.isConfirmed("MCL_CURRENT"));
        assertEquals(OptionalLong.empty(), numbers.constant("MS_SYNC"));
    }

    @Test
    void theStructureOfTheStandInIsThatOfTheProbe() {
        Hpux hpux = Hpux.open();
        SystemNumbers numbers = HpuxNumbers.read(Hpux.PROBE, Hpux.BITS);
        assertEquals(
                OptionalLong.of(hpux.standIn.call("standin_layout", "size")),
                numbers.confirmed("struct_size", "struct privgrp_map"));
        assertEquals(
                OptionalLong.of(hpux.standIn.call("standin_layout", "mask")),
                numbers.confirmed("struct_offset", "privgrp_map.priv_mask"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "rubbish\n", "IRIX,all,const,MCL_CURRENT,1,probe,verified\n"})
    void anUnusableProbeIsRefusedWithTheFileAndARemedy(String content, @TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("abi.csv"), content);
        PageLockException e = assertThrows(PageLockException.class, () -> HpuxNumbers.read(file, 64));
        assertEquals(Reason.NOT_SUPPORTED, e.reason());
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        assertTrue(e.remedies().toString().contains("abi-probe.c"), e.getMessage());
    }

    @Test
    void aMissingProbeIsRefusedByTheProperty(@TempDir Path directory) {
        System.setProperty(
                HpuxProvider.ABI_PROPERTY, directory.resolve("none.csv").toString());
        try {
            PageLockException e = assertThrows(PageLockException.class, () -> new HpuxProvider().open(Hpux.HOST));
            assertTrue(e.getMessage().contains("none.csv"), e.getMessage());
        } finally {
            System.clearProperty(HpuxProvider.ABI_PROPERTY);
        }
    }

    @ParameterizedTest
    @CsvSource({"HP-UX, true", "hp-ux, true", "Linux, false", "SunOS, false", "'', false"})
    void onlyHpuxIsAccepted(String osName, boolean accepted) {
        String refusal = new HpuxProvider()
                .refusal(new Host(osName, "B.11.31", "IA64W", 64))
                .orElse("");
        assertEquals(accepted, refusal.isEmpty(), refusal);
        assertTrue(accepted || refusal.contains("os.name is " + osName), refusal);
    }

    @Test
    void theProviderIsFoundAsAService() {
        assertTrue(
                ServiceLoader.load(BackendProvider.class).stream().anyMatch(each -> each.type() == HpuxProvider.class));
    }

    @Test
    void theBackendCannotBeForcedOnAnotherSystem() {
        ForeignSystem.cannotBeForced(new HpuxProvider());
    }
}
