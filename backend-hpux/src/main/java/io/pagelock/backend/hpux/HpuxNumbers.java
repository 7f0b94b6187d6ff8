// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.backend.support.AbiTable;
import io.pagelock.backend.support.ErrnoTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Numbers of HP-UX 11i: the table {@code numbers.csv}, with source and confidence of each, or in its place what abi-probe
 * printed on the machine. An unknown number is never used.
 */
final class HpuxNumbers {
    private final AbiTable table;
    private final ErrnoTable errno;
    private final Path probe;

    private HpuxNumbers(AbiTable table, Path probe) {
        this.table = table;
        this.probe = probe;
        errno = table.errnos();
    }

    /**
     * @param probe the output of abi-probe, or null
     */
    static HpuxNumbers read(Path probe, int bits) {
        AbiTable own = AbiTable.of(HpuxNumbers.class, "numbers.csv");
        return new HpuxNumbers(
                probe == null ? own : own.overriddenBy(AbiTable.ofProbe(probe, "HP-UX"), bits == 64 ? "LP64" : "ILP32"),
                probe);
    }

    ErrnoTable errno() {
        return errno;
    }

    OptionalLong constant(String name) {
        return table.number("const", name);
    }

    boolean isConfirmed(String name) {
        return table.isConfirmed("const", name);
    }

    OptionalLong confirmed(String kind, String name) {
        return table.isConfirmed(kind, name) ? table.number(kind, name) : OptionalLong.empty();
    }

    List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (probe != null) {
            notes.add("numbers confirmed by abi-probe are used, from " + probe);
        }
        List<String> open = table.unconfirmed();
        if (!open.isEmpty()) {
            notes.add("not confirmed by any source: " + String.join(", ", open)
                    + "; give the output of tools/abi-probe with -D" + HpuxProvider.ABI_PROPERTY + "=FILE");
        }
        return notes;
    }
}
