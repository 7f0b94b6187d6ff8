// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux.proc;

import java.util.OptionalLong;

/** The fields of an entry of smaps that are used here. One that is there twice with different values is unknown. */
final class SmapsFields {
    /** Those of a line of maps. */
    static final SmapsFields NONE = new SmapsFields();

    /** Two letters each between spaces; null if unknown. */
    String flags;

    OptionalLong resident = OptionalLong.empty();
    OptionalLong locked = OptionalLong.empty();

    private boolean flagged;
    private boolean counted;
    private boolean lockCounted;

    void read(KernelText line) {
        String key = line.until(':');
        line.skip(':');
        String value = line.bad() ? "" : KernelText.strip(line.rest());
        switch (key) {
            case "VmFlags":
                flags = flagged || line.bad() ? null : " " + value + " ";
                flagged = true;
                break;
            case "Rss":
                resident = counted ? OptionalLong.empty() : KernelText.kibibytes(value);
                counted = true;
                break;
            case "Locked":
                locked = lockCounted ? OptionalLong.empty() : KernelText.kibibytes(value);
                lockCounted = true;
                break;
            default:
                break;
        }
    }
}
