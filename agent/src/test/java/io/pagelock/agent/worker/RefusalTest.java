// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RefusalTest {
    @Test
    void limitsAreKnownByTheNameOfTheReason() {
        Set<Reason> limits = EnumSet.of(Reason.OVER_LIMIT, Reason.NOT_PERMITTED, Reason.NO_LOCKABLE_MEMORY);
        for (Reason each : Reason.values()) {
            Refusal refusal = Refusal.of(PageLockException.because(each).build());
            assertEquals(each.name(), refusal.reason);
            assertEquals(limits.contains(each), refusal.isOfLimit(), each.name());
        }
        assertEquals("IllegalStateException", Refusal.of(new IllegalStateException("x")).reason);
    }
}
