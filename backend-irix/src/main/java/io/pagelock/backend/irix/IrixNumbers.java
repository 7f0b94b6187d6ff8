// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.backend.support.SystemNumbers;
import java.nio.file.Path;

/** Numbers of IRIX 6.5: the table {@code numbers.csv}, or in its place what abi-probe printed on the machine. */
final class IrixNumbers {
    private IrixNumbers() {}

    /**
     * @param probe the output of abi-probe, or null
     */
    static SystemNumbers read(Path probe, int bits) {
        return SystemNumbers.read(IrixNumbers.class, "IRIX", bits, IrixProvider.ABI_PROPERTY, probe);
    }
}
