// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AnonymousPagesTest {
    private static final int PAGE = ScriptedCalls.PAGE;
    private static final long ANONYMOUS = 0x10000;
    private static final long OF_FILE = 0x30000;

    private final ScriptedCalls calls = new ScriptedCalls(LinuxConstants.GENERIC);
    private final AnonymousPages pages = new AnonymousPages(new MappingQuery(calls, LinuxConstants.GENERIC), PAGE);

    AnonymousPagesTest() {
        calls.ends.add(0x20000000L);
        calls.ends.add(0x30000L);
        calls.ends.add(0x40000L);
        calls.inodes.put(0x40000L, 7L);
    }

    private boolean isKnown(long page) {
        boolean known = false;
        for (int i = 0; i < 3; i++) {
            assertFalse(known, "known before it was asked");
            known = pages.contains(page);
            if (!known) {
                pages.locked(page);
            }
        }
        return known;
    }

    /** It may be flagged as locked and not be in memory. */
    @Test
    void aPageWhoseLocksAreRefusedIsNotKnown() {
        for (int i = 0; i < 5; i++) {
            assertFalse(pages.contains(ANONYMOUS));
        }
    }

    /** The first segment of shmget(2) in an IPC namespace; a hole can be punched into it elsewhere. */
    @Test
    void aFileMayHaveInode0() {
        calls.inodes.remove(0x40000L);
        calls.devices.put(0x40000L, 1L << 32);
        assertFalse(isKnown(OF_FILE));
    }

    @Test
    void onlyAnonymousMemoryIsKnownToStay() {
        assertTrue(isKnown(ANONYMOUS));
        assertFalse(isKnown(OF_FILE));
        assertFalse(isKnown(0x50000000L), "not mapped");
    }

    @Test
    void theKernelIsAskedOnceForAPage() {
        assertTrue(isKnown(ANONYMOUS));
        assertFalse(isKnown(OF_FILE));
        calls.log.clear();
        for (int i = 0; i < 5; i++) {
            assertTrue(pages.contains(ANONYMOUS));
            assertFalse(pages.contains(OF_FILE));
        }
        assertEquals("[]", calls.log.toString());
    }

    @Test
    void whatIsLockedIsForgotten() {
        assertTrue(isKnown(ANONYMOUS));
        pages.forget(ANONYMOUS - PAGE, PAGE);
        pages.forget(ANONYMOUS + PAGE, PAGE);
        assertTrue(pages.contains(ANONYMOUS));
        pages.forget(ANONYMOUS - PAGE, 2 * PAGE);
        assertTrue(isKnown(ANONYMOUS), "asked again");
        pages.forget(ANONYMOUS, 1L << 40);
        assertTrue(isKnown(ANONYMOUS), "asked again");
        pages.forget(ANONYMOUS - (1L << 40), 1L << 41);
        assertTrue(isKnown(ANONYMOUS), "asked again");
    }

    @Test
    void onePageIsNotTakenForAnother() {
        assertTrue(isKnown(ANONYMOUS));
        long inTheSamePlace = ANONYMOUS + 1024 * PAGE;
        assertTrue(isKnown(inTheSamePlace));
        assertTrue(isKnown(ANONYMOUS));
    }
}
