// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.solaris.ProcMap.Layout;
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

/** Numbers and layouts against the facts collected, and what the provider accepts. */
class SolarisTableTest {
    /** A copy of the facts, with source and confidence. */
    private static final AbiTable FACTS = AbiTable.of(SolarisTableTest.class, "constants.csv");

    @Test
    void constantsAreThoseOfTheHeaders() {
        Map.ofEntries(
                        Map.entry("MC_SYNC", SolarisConstants.MC_SYNC),
                        Map.entry("MC_LOCK", SolarisConstants.MC_LOCK),
                        Map.entry("MC_UNLOCK", SolarisConstants.MC_UNLOCK),
                        Map.entry("MC_LOCKAS", SolarisConstants.MC_LOCKAS),
                        Map.entry("MC_UNLOCKAS", SolarisConstants.MC_UNLOCKAS),
                        Map.entry("MCL_CURRENT", SolarisConstants.MCL_CURRENT),
                        Map.entry("MCL_FUTURE", SolarisConstants.MCL_FUTURE),
                        Map.entry("MS_ASYNC", SolarisConstants.MS_ASYNC),
                        Map.entry("MS_INVALIDATE", SolarisConstants.MS_INVALIDATE),
                        Map.entry("MS_SYNC", SolarisConstants.MS_SYNC))
                .forEach((name, value) -> {
                    assertEquals(OptionalLong.of(value), FACTS.number("const", name), name);
                    assertTrue(FACTS.isConfirmed("const", name), name);
                });
    }

    @Test
    void everyErrnoIsInTheFactsAndConfirmed() {
        SolarisConstants.ERRNO.numbers().forEach((name, number) -> {
            assertEquals(OptionalLong.of(number), FACTS.number("errno", name), name);
            assertTrue(FACTS.isConfirmed("errno", name), name);
        });
        assertEquals(FACTS.errnos().numbers(), SolarisConstants.ERRNO.numbers());
    }

    @Test
    void thereIsNoLimitPerProcess() {
        assertEquals(OptionalLong.empty(), FACTS.number("rlimit", "RLIMIT_MEMLOCK"));
    }

    @Test
    void recordsOfThisDataModelAreAsACompilerLaysThemOut() {
        Solaris solaris = Solaris.open();
        Layout layout = Solaris.HOST.bits() == 64 ? Layout.LP64 : Layout.ILP32;
        assertEquals(solaris.standIn.call("standin_layout", "prmap"), layout.sizeOfMap);
        assertEquals(solaris.standIn.call("standin_layout", "prxmap"), layout.sizeOfXmap);
        assertEquals(0, solaris.standIn.call("standin_layout", "pr_vaddr"));
        assertEquals(solaris.standIn.call("standin_layout", "pr_size"), layout.word);
        assertEquals(solaris.standIn.call("standin_layout", "pr_mapname"), layout.name);
        assertEquals(solaris.standIn.call("standin_layout", "pr_offset"), layout.offset);
        assertEquals(solaris.standIn.call("standin_layout", "pr_mflags"), layout.flags);
        assertEquals(solaris.standIn.call("standin_layout", "pr_rss"), layout.resident);
        assertEquals(solaris.standIn.call("standin_layout", "pr_locked"), layout.locked);
    }

    /** SPARC aligns 8-byte fields to 8 bytes and x86 to 4; each falls on a multiple of 8, so the layout is the same. */
    @Test
    void recordsOf32BitsAreAsDeclared() {
        int name = 4 + 4;
        int offset = name + 64;
        int flags = offset + 8;
        int dev = flags + 3 * 4;
        int ino = dev + 4;
        int rss = ino + 8;
        int hatpagesize = rss + 4 * 4;
        Layout layout = Layout.ILP32;
        assertEquals(name, layout.name);
        assertEquals(offset, layout.offset);
        assertEquals(flags, layout.flags);
        assertEquals(rss, layout.resident);
        assertEquals(rss + 2 * 4, layout.locked);
        assertEquals(flags + 4 * 4, layout.sizeOfMap);
        assertEquals(hatpagesize + 8 + 6 * 4, layout.sizeOfXmap);
        assertEquals(0, offset % 8 + ino % 8 + hatpagesize % 8);
    }

    @ParameterizedTest
    @CsvSource({
        "x86, 32, /usr/ucblib/libucb.so.1",
        "sparc, 32, /usr/ucblib/libucb.so.1",
        "amd64, 64, /usr/ucblib/amd64/libucb.so.1",
        "x86_64, 64, /usr/ucblib/amd64/libucb.so.1",
        "sparcv9, 64, /usr/ucblib/sparcv9/libucb.so.1",
        "sparc, 64, /usr/ucblib/sparcv9/libucb.so.1"
    })
    void libucbHasADirectoryForEachDataModel(String arch, int bits, String path) {
        assertEquals(path, SolarisProvider.libucbPath(new Host("SunOS", "5.11", arch, bits)));
    }

    @ParameterizedTest
    @CsvSource({
        "SunOS, true",
        "sunos, true",
        "Solaris, true",
        "Linux, false",
        "HP-UX, false",
        "IRIX64, false",
        "'', false"
    })
    void onlySolarisIsAccepted(String osName, boolean accepted) {
        Host host = new Host(osName, "1", "sparcv9", 64);
        String refusal = new SolarisProvider().refusal(host).orElse("");
        assertEquals(accepted, refusal.isEmpty(), refusal);
        assertTrue(accepted || refusal.contains("os.name is " + osName), refusal);
    }

    @Test
    void theProviderIsFoundAsAService() {
        assertTrue(ServiceLoader.load(BackendProvider.class).stream()
                .anyMatch(each -> each.type() == SolarisProvider.class));
    }

    @Test
    void anUnknownCallIsRefusedByName() {
        PageLockException e = withCall("mlock");
        assertEquals(Reason.NOT_SUPPORTED, e.reason());
        assertTrue(e.getMessage().contains("io.pagelock.solaris.call is 'mlock'"), e.getMessage());
        assertFalse(e.remedies().isEmpty());
    }

    @Test
    void aMissingLibucbIsToldWithItsPathAndRemedy() {
        PageLockException e = withCall("mctl");
        assertEquals(Reason.NOT_SUPPORTED, e.reason());
        assertTrue(e.detail().contains(SolarisProvider.libucbPath(Solaris.HOST)), e.getMessage());
        assertTrue(e.remedies().toString().contains("compatibility/ucb"), e.getMessage());
    }

    private static PageLockException withCall(String call) {
        System.setProperty(SolarisProvider.CALL_PROPERTY, call);
        try {
            return assertThrows(PageLockException.class, () -> new SolarisProvider().open(Solaris.HOST));
        } finally {
            System.clearProperty(SolarisProvider.CALL_PROPERTY);
        }
    }

    @Test
    void theBackendCannotBeForcedOnAnotherSystem() {
        ForeignSystem.cannotBeForced(new SolarisProvider());
    }
}
