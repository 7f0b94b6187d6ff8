// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Over a munlock like NetBSD's: all or nothing, EINVAL (22) if a page is not locked, ENOMEM (12) for a hole. */
class UnlockByHalvesTest {
    private static final long PAGE = 8192;
    private static final long START = 0xffffffff80000000L;

    /** 1 is locked, 0 is not, - is a hole. */
    private static final class Netbsd {
        private final StringBuilder pages;
        private int errno;
        private int calls;

        private Netbsd(String pages) {
            this.pages = new StringBuilder(pages);
        }

        private int munlock(long address, long length) {
            calls++;
            int from = (int) ((address - START) / PAGE);
            String asked = pages.substring(from, from + (int) (length / PAGE));
            errno = asked.contains("-") ? 12 : asked.contains("0") ? 22 : 0;
            if (errno == 0) {
                pages.replace(from, from + asked.length(), asked.replace('1', '0'));
            }
            return errno == 0 ? 0 : -1;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 0, 0",
        "0, 0, 0",
        "11111111, 00000000, 0",
        "00000000, 00000000, 0",
        "10110100, 00000000, 0",
        "0000001, 0000000, 0",
        "11-11, 11-11, 12",
        "-, -, 12"
    })
    void whatIsLockedIsUnlockedAndTheRestIsNoError(String pages, String after, int errno) {
        Netbsd netbsd = new Netbsd(pages);
        UnlockByHalves unlocking = new UnlockByHalves(netbsd::munlock, () -> netbsd.errno, PAGE, 22);
        assertEquals(errno, unlocking.unlock(START, pages.length() * PAGE));
        assertEquals(after, netbsd.pages.toString());
        assertTrue(netbsd.calls <= 2 * pages.length(), netbsd.calls + " calls");
        if (!pages.contains("0")) {
            assertEquals(1, netbsd.calls);
        }
    }
}
