// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Holds the numbers of a system whose headers could not be read: the table {@code numbers.csv} of its backend, with
 * source and confidence of each, or instead the output of abi-probe on the machine itself. Says which are confirmed; an
 * unknown number is empty and must not be used. Immutable.
 */
public final class SystemNumbers {
    private final AbiTable table;
    private final ErrnoTable errno;
    private final List<String> notes;

    private SystemNumbers(AbiTable table, List<String> notes) {
        this.table = table;
        this.notes = notes;
        errno = table.errnos();
    }

    /**
     * Reads the numbers.
     *
     * @param anchor a class of the backend, beside which the resource {@code numbers.csv} is
     * @param os the name of the system in the table, for example {@code HP-UX}
     * @param bits the width of addresses in this JVM, 32 or 64; lines of the probe for the other one are ignored
     * @param property the system property by which users name the output of abi-probe; for the notes
     * @param probe the file that it names, or null
     * @return the numbers
     * @throws io.pagelock.PageLockException with {@link io.pagelock.Reason#NOT_SUPPORTED} and a remedy, if the file is
     *     not what abi-probe prints on that system
     */
    public static SystemNumbers read(Class<?> anchor, String os, int bits, String property, @Nullable Path probe) {
        AbiTable own = AbiTable.of(anchor, "numbers.csv");
        if (probe == null) {
            return new SystemNumbers(own, notes(own, property));
        }
        AbiTable printed = AbiTable.ofProbe(probe, os);
        AbiTable table = own.overriddenBy(printed, bits == 64 ? "LP64" : "ILP32");
        List<String> notes = new ArrayList<>();
        List<String> used = new ArrayList<>();
        for (AbiTable.Row row : table.rows()) {
            if (printed.rows().contains(row)) {
                used.add(row.name());
            }
        }
        notes.add("numbers by abi-probe, from " + probe + ": " + names(used));
        notes.addAll(notes(table, property));
        return new SystemNumbers(table, notes);
    }

    private static List<String> notes(AbiTable table, String property) {
        List<String> notes = new ArrayList<>();
        List<String> confirmed = new ArrayList<>();
        for (AbiTable.Row row : table.rows()) {
            if (row.isConfirmed() && row.number().isPresent()) {
                confirmed.add(row.name());
            }
        }
        notes.add("numbers confirmed: " + names(confirmed));
        List<String> open = table.unconfirmed();
        if (!open.isEmpty()) {
            notes.add("not confirmed by any source: " + names(open) + "; give the output of tools/abi-probe with -D"
                    + property + "=FILE");
        }
        return notes;
    }

    private static String names(List<String> names) {
        return names.isEmpty() ? "none" : String.join(", ", names);
    }

    /**
     * Returns the error numbers.
     *
     * @return the table of those that are known
     */
    public ErrnoTable errno() {
        return errno;
    }

    /**
     * Returns a constant, confirmed or not.
     *
     * @param name its name in C
     * @return the number; empty if it is not known
     */
    public OptionalLong constant(String name) {
        return table.number("const", name);
    }

    /**
     * Returns a constant without which the backend could not have been opened.
     *
     * @param name its name in C
     * @return the number
     * @throws java.util.NoSuchElementException if it is not known
     */
    public int required(String name) {
        return (int) constant(name).getAsLong();
    }

    /**
     * Reports whether a constant is known and more than a guess.
     *
     * @param name its name in C
     * @return true if it is confirmed
     */
    public boolean isConfirmed(String name) {
        return table.isConfirmed("const", name);
    }

    /**
     * Returns a number of any kind, if it is more than a guess.
     *
     * @param kind its kind, for example {@code struct_size}
     * @param name its name in C
     * @return the number; empty if it is not known or not confirmed
     */
    public OptionalLong confirmed(String kind, String name) {
        return table.isConfirmed(kind, name) ? table.number(kind, name) : OptionalLong.empty();
    }

    /**
     * Returns which numbers are confirmed, by what, and which are not, for {@link io.pagelock.BackendInfo#notes()}.
     *
     * @return one sentence each
     */
    public List<String> notes() {
        return notes;
    }
}
