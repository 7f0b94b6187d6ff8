// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Group S: writing pages back. */
abstract class SyncRules extends AddressSpaceRules {
    @Test
    void S1_syncWaitsUnlessItIsAsynchronous() {
        needs(Capability.SYNC);
        MemoryRange range = pages(harness.map(1), 1);
        List<String> calls = new ArrayList<>();
        PageLocker recorded = locker(recording(calls));
        recorded.sync(range);
        recorded.sync(range, SyncOption.ASYNC);
        assertEquals(
                Arrays.asList(
                        "sync" + Arrays.asList(range.address(), page, Collections.emptySet()),
                        "sync" + Arrays.asList(range.address(), page, Collections.singleton(SyncOption.ASYNC))),
                calls);
    }

    @Test
    void S2_invalidatingALockedPageIsBusy() {
        needs(Capability.SYNC);
        needsRoom(1);
        long memory = harness.map(2);
        try (PageLock lock = locker.lock(pages(memory + page, 1))) {
            refusal(Reason.BUSY, () -> locker.sync(pages(memory, 2), SyncOption.INVALIDATE));
            locker.sync(pages(memory, 2));
        }
        locker.sync(pages(memory, 2), SyncOption.INVALIDATE);
    }

    @Test
    void S3_anUnalignedRangeIsRoundedOutward() {
        needs(Capability.SYNC);
        long memory = harness.map(3);
        locker.sync(MemoryRange.of(memory + 2 * page - 1, 2));
        harness.unmap(memory + 2 * page, 1);
        locker.sync(MemoryRange.of(memory + 2 * page - 1, 1));
        refusal(Reason.NOT_MAPPED, () -> locker.sync(MemoryRange.of(memory + 2 * page - 1, 2)));
    }

    @Test
    void S4_aRangeWithAHoleIsNotMapped() {
        needs(Capability.SYNC);
        long memory = harness.map(3);
        harness.unmap(memory + page, 1);
        refusal(Reason.NOT_MAPPED, () -> locker.sync(pages(memory, 3)));
    }
}
