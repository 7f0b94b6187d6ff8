// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.AddressSpaceScope;
import io.pagelock.SyncOption;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryFlagsTest {
    private static Set<SyncOption> set(String names) {
        return Arrays.stream(names.split(" "))
                .filter(each -> !each.isEmpty())
                .map(SyncOption::valueOf)
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @CsvSource({"CURRENT, 0x2000", "FUTURE, 0x4000", "CURRENT_AND_FUTURE, 0x6000"})
    void whatIsLockedAddsUp(AddressSpaceScope scope, String flags) {
        int actual = MemoryFlags.ofLockAll(scope, 0x2000, 0x4000);
        assertEquals(Integer.decode(flags), actual);
    }

    @ParameterizedTest
    @CsvSource({"'', 0x10", "ASYNC, 0x20", "INVALIDATE, 0x50", "ASYNC INVALIDATE, 0x60"})
    void syncIsWhatIsNotAsync(String options, String flags) {
        int actual = MemoryFlags.ofSync(set(options), 0x10, 0x20, 0x40);
        assertEquals(Integer.decode(flags), actual);
    }
}
