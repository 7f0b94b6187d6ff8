// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.backend.support.SystemNumbers;
import java.nio.file.Path;

/** Numbers of HP-UX 11i: the table {@code numbers.csv}, or in its place what abi-probe printed on the machine. */
final class HpuxNumbers {
    private HpuxNumbers() {}

    /**
     * @param probe the output of abi-probe, or null
     */
    static SystemNumbers read(Path probe, int bits) {
        return SystemNumbers.read(HpuxNumbers.class, "HP-UX", bits, HpuxProvider.ABI_PROPERTY, probe);
    }
}
