// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.Comparison;
import io.pagelock.backend.testkit.RawCalls;
import io.pagelock.backend.testkit.standin.StandInCalls;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The stand-in itself: row by row against the comparison of systems, and what macOS alone has. */
class MacosStandInTest {
    private static final class Calls extends StandInCalls {
        private Calls() {
            super(Macos.open().standIn, MacosConstants.ERRNO::name);
            knobs("memlock", "global_wire_limit", "nothing");
        }

        @Override
        public String msync(long address, long length, boolean invalidate) {
            int flags = MacosConstants.MS_SYNC | (invalidate ? MacosConstants.MS_INVALIDATE : 0);
            return call("msync", word(address), word(length), flags);
        }
    }

    @TestFactory
    Stream<DynamicTest> theStandInAnswersAsMacosDoes() {
        return Comparison.tests("macos", Calls::new);
    }

    /** vm_map_wire_nested checks what is not wired yet alone. */
    @Test
    void aHoleAfterLockedPagesIsNotSeen() {
        try (RawCalls calls = new Calls()) {
            long page = calls.pageSize();
            long memory = calls.map(3);
            calls.mlock(memory, page);
            calls.unmap(memory + page, 1);
            assertEquals("OK", calls.mlock(memory, 3 * page));
            assertTrue(calls.isLocked(memory + 2 * page));
        }
    }
}
