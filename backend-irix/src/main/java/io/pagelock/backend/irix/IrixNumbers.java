// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.backend.support.AbiTable;
import io.pagelock.backend.support.ErrnoTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Numbers of IRIX 6.5: the table {@code numbers.csv}, with source and confidence of each, or in its place what abi-probe
 * printed on the machine. An unknown number is never used.
 */
final class IrixNumbers {
    private final AbiTable table;
    private final ErrnoTable errno;
    private final Path probe;

    private IrixNumbers(AbiTable table, Path probe) {
        this.table = table;
        this.probe = probe;
        errno = table.errnos();
    }

    /**
     * @param probe the output of abi-probe, or null
     */
    static IrixNumbers read(Path probe, int bits) {
        AbiTable own = AbiTable.of(IrixNumbers.class, "numbers.csv");
        return new IrixNumbers(
                probe == null ? own : own.overriddenBy(AbiTable.ofProbe(probe, "IRIX"), bits == 64 ? "LP64" : "ILP32"),
                probe);
    }

    ErrnoTable errno() {
        return errno;
    }

    OptionalLong constant(String name) {
        return table.number("const", name);
    }

    List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (probe != null) {
            notes.add("numbers confirmed by abi-probe are used, from " + probe);
        }
        List<String> open = table.unconfirmed();
        if (!open.isEmpty()) {
            notes.add("not confirmed by any source: " + String.join(", ", open)
                    + "; give the output of tools/abi-probe with -D" + IrixProvider.ABI_PROPERTY + "=FILE");
        }
        return notes;
    }
}
