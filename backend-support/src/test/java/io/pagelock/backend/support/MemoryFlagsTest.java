// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.AddressSpaceOption;
import io.pagelock.SyncOption;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryFlagsTest {
    private static <E extends Enum<E>> Set<E> set(Class<E> type, String names) {
        return Arrays.stream(names.split(" "))
                .filter(each -> !each.isEmpty())
                .map(each -> Enum.valueOf(type, each))
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @CsvSource({"'', 0", "CURRENT, 0x2000", "FUTURE, 0x4000", "CURRENT FUTURE, 0x6000"})
    void whatIsLockedAddsUp(String options, String flags) {
        int actual = MemoryFlags.ofLockAll(set(AddressSpaceOption.class, options), 0x2000, 0x4000);
        assertEquals(Integer.decode(flags), actual);
    }

    @ParameterizedTest
    @CsvSource({
        "'', 0x10",
        "SYNC, 0x10",
        "ASYNC, 0x20",
        "INVALIDATE, 0x50",
        "SYNC INVALIDATE, 0x50",
        "ASYNC INVALIDATE, 0x60"
    })
    void syncIsWhatIsNotAsync(String options, String flags) {
        int actual = MemoryFlags.ofSync(set(SyncOption.class, options), 0x10, 0x20, 0x40);
        assertEquals(Integer.decode(flags), actual);
    }
}
