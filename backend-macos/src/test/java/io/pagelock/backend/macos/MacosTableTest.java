// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.support.AbiTable;
import io.pagelock.backend.testkit.standin.ForeignSystem;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.util.Map;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers against the facts collected, and what the provider accepts. */
class MacosTableTest {
    /** A copy of the facts, with source and confidence. */
    private static final AbiTable FACTS = AbiTable.of(MacosTableTest.class, "constants.csv");

    @Test
    void constantsAreThoseOfTheHeaders() {
        Map.of(
                        "MS_ASYNC", (long) MacosConstants.MS_ASYNC,
                        "MS_INVALIDATE", (long) MacosConstants.MS_INVALIDATE,
                        "MS_SYNC", (long) MacosConstants.MS_SYNC,
                        "MINCORE_INCORE", (long) MacosConstants.MINCORE_INCORE,
                        "VM_REGION_BASIC_INFO_64", (long) MacosConstants.VM_REGION_BASIC_INFO_64,
                        "VM_REGION_BASIC_INFO_COUNT_64", (long) MacosConstants.VM_REGION_BASIC_INFO_COUNT_64,
                        "KERN_INVALID_ADDRESS", (long) MacosConstants.KERN_INVALID_ADDRESS,
                        "RTLD_DEFAULT", MacosConstants.RTLD_DEFAULT)
                .forEach((name, value) -> assertEquals(OptionalLong.of(value), FACTS.number("const", name), name));
        assertEquals(OptionalLong.of(MacosConstants.RLIMIT_MEMLOCK), FACTS.number("rlimit", "RLIMIT_MEMLOCK"));
    }

    @Test
    void everyErrnoIsThatOfTheFacts() {
        assertEquals(FACTS.errnos().numbers(), MacosConstants.ERRNO.numbers());
    }

    @ParameterizedTest
    @CsvSource({
        "Mac OS X, true",
        "mac os x, true",
        "macOS, true",
        "Darwin, true",
        "Linux, false",
        "FreeBSD, false",
        "Windows 11, false",
        "'', false"
    })
    void onlyMacosIsAccepted(String osName, boolean accepted) {
        String refusal = new MacosProvider()
                .refusal(new Host(osName, "15.5", "aarch64", 64))
                .orElse("");
        assertEquals(accepted, refusal.isEmpty(), refusal);
        assertTrue(accepted || refusal.contains("os.name is " + osName), refusal);
    }

    @Test
    void theProviderIsFoundAsAService() {
        assertTrue(ServiceLoader.load(BackendProvider.class).stream()
                .anyMatch(each -> each.type() == MacosProvider.class));
    }

    @Test
    void theBackendCannotBeForcedOnAnotherSystem() {
        ForeignSystem.cannotBeForced(new MacosProvider());
    }
}
