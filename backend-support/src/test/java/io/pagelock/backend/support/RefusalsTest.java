// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.LimitValue;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RefusalsTest {
    private static final ErrnoTable ERRNOS = ErrnoTable.builder()
            .put("EPERM", 1)
            .put("EIO", 5)
            .put("ENOMEM", 12)
            .put("EBUSY", 16)
            .put("ENOSPC", 28)
            .put("ENOSYS", 78)
            .put("ECANCELED", 85)
            .build();

    private final Remedies remedies = Remedies.builder()
            .put(Reason.OVER_LIMIT, "Set the limit to {bytes}", "Start it with 'ulimit -l {kib}'")
            .build();
    private final Refusals refusals = new Refusals(ERRNOS, remedies);

    @ParameterizedTest
    @CsvSource({
        "1, NOT_PERMITTED",
        "5, IO_ERROR",
        "12, UNKNOWN",
        "16, BUSY",
        "28, NO_SPACE",
        "78, NOT_SUPPORTED",
        "85, CANCELLED",
        "200, UNKNOWN",
        "0, UNKNOWN"
    })
    void anErrnoWithOneMeaningIsItsReason(int number, Reason reason) {
        assertEquals(reason, ERRNOS.reason(number));
    }

    @Test
    void aRefusalHasCallNumberNameFindingAndRemedies() {
        PageLockException e = refusals.of(Reason.OVER_LIMIT, "mlock", 12, "asked for 4097 bytes", 4097);
        assertEquals(Reason.OVER_LIMIT, e.reason());
        assertEquals(OptionalInt.of(12), e.errno());
        for (String word : List.of("mlock", "ENOMEM", "asked for 4097 bytes", "Set the limit to 4097")) {
            assertTrue(e.getMessage().contains(word), e.getMessage());
        }
    }

    @Test
    void anErrnoOutsideTheTableHasNoName() {
        PageLockException e = refusals.of(Reason.UNKNOWN, "mlock", 200, "");
        assertTrue(e.errnoName().isEmpty());
        assertTrue(e.getMessage().contains("200"), e.getMessage());
    }

    @Test
    void aSuccessThatIsNoneHasNoErrno() {
        PageLockException e = refusals.ofSuccess(Reason.CANNOT_BE_PAGED_IN, "the page is not there");
        assertTrue(e.errno().isEmpty());
        assertTrue(e.function().isEmpty());
    }

    @Test
    void sizesAreFilledInAndRoundedUp() {
        assertEquals(
                List.of("Set the limit to 4097", "Start it with 'ulimit -l 5'"), remedies.of(Reason.OVER_LIMIT, 4097));
        assertEquals(
                List.of("Set the limit to 8192", "Start it with 'ulimit -l 8'"), remedies.of(Reason.OVER_LIMIT, 8192));
        assertEquals(
                "Start it with 'ulimit -l " + ((1L << 53) + "'"),
                remedies.of(Reason.OVER_LIMIT, Long.MAX_VALUE).get(1));
        assertEquals(
                List.of("Set the limit to BYTES", "Start it with 'ulimit -l KIB'"), remedies.of(Reason.OVER_LIMIT, 0));
    }

    @Test
    void everySystemHasWhatHelpsEverywhereAndNothingElseUnasked() {
        assertTrue(remedies.of(Reason.NOT_MAPPED, 0).get(0).contains("Keep the memory mapped"));
        assertEquals(2, remedies.of(Reason.BUSY, 0).size());
        assertEquals(List.of(), remedies.of(Reason.UNKNOWN, 0));
    }

    @Test
    void limitsAreReadUnsignedAndInPages() {
        assertEquals(LimitValue.ofBytes(0), NativeLimits.of(0));
        assertEquals(LimitValue.ofBytes(65536), NativeLimits.of(65536));
        assertEquals(LimitValue.unlimited(), NativeLimits.of(Long.MAX_VALUE));
        assertEquals(LimitValue.unlimited(), NativeLimits.of(-1));
        assertEquals(LimitValue.ofBytes(3 * 4096), NativeLimits.ofPages(3, 4096));
        assertEquals(LimitValue.unlimited(), NativeLimits.ofPages(-1, 4096));
        assertEquals(LimitValue.unlimited(), NativeLimits.ofPages(1L << 52, 4096));
    }

    @Test
    void stringsOfCEndAtAZeroOrTheirLength() {
        assertEquals("ab", CLibrary.text(new byte[] {'x', 'a', 'b', 0, 'c'}, 1, 4));
        assertEquals("ab", CLibrary.text(new byte[] {'a', 'b', 'c'}, 0, 2));
        assertEquals("c", CLibrary.text(new byte[] {'a', 'b', 'c'}, 2, 9));
        assertEquals(4, CLibrary.string("abc").length);
    }
}
