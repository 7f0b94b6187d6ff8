// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * Holds numbers of a system with their sources and confidence: lines of
 * {@code os,arch_or_abi,kind,name,value,source,confidence}, as {@code tools/abi-probe} prints them. The backend of a
 * system whose numbers could not all be confirmed has its table as a resource and lets users
 * {@linkplain #overriddenBy override} it with the output of the probe on their own machine. Immutable.
 */
public final class AbiTable {
    private static final int COLUMNS = 7;

    private final List<Row> rows;

    private AbiTable(List<Row> rows) {
        this.rows = Collections.unmodifiableList(rows);
    }

    /** Describes one number. Immutable. */
    public static final class Row {
        private final List<String> columns;

        private Row(List<String> columns) {
            this.columns = columns;
        }

        /**
         * Returns the system.
         *
         * @return for example {@code HP-UX}
         */
        public String os() {
            return columns.get(0);
        }

        /**
         * Returns the processor or data model.
         *
         * @return for example {@code all} or {@code LP64}
         */
        public String arch() {
            return columns.get(1);
        }

        /**
         * Returns what kind of number it is.
         *
         * @return for example {@code const}, {@code errno}, {@code struct_size}
         */
        public String kind() {
            return columns.get(2);
        }

        /**
         * Returns the name in C.
         *
         * @return for example {@code MCL_CURRENT}
         */
        public String name() {
            return columns.get(3);
        }

        /**
         * Returns the number.
         *
         * @return decimal, or hexadecimal after {@code 0x}; or words
         */
        public String value() {
            return columns.get(4);
        }

        /**
         * Returns the source of the number.
         *
         * @return a header or manual page
         */
        public String source() {
            return columns.get(5);
        }

        /**
         * Returns the confidence in the number.
         *
         * @return {@code verified}, {@code cross-checked} or {@code unverified}
         */
        public String confidence() {
            return columns.get(6);
        }

        /**
         * Reports whether the number is more than a guess.
         *
         * @return false if unverified
         */
        public boolean isConfirmed() {
            return !confidence().equals("unverified");
        }

        /**
         * Returns the number.
         *
         * @return the value, as a signed long; empty if the value is no number
         */
        public OptionalLong number() {
            String text = value();
            try {
                if (text.startsWith("0x")) {
                    return OptionalLong.of(Long.parseUnsignedLong(text.substring(2), 16));
                }
                return OptionalLong.of(Long.parseLong(text));
            } catch (NumberFormatException e) {
                return OptionalLong.empty();
            }
        }

        @Override
        public String toString() {
            return name() + " = " + value() + " (" + confidence() + ", " + source() + ")";
        }
    }

    /**
     * Reads a table that is a resource of a backend.
     *
     * @param anchor a class of the backend
     * @param resource the name of the resource, beside that class
     * @return the table
     */
    public static AbiTable of(Class<?> anchor, String resource) {
        try (InputStream in = anchor.getResourceAsStream(resource)) {
            return parse(new BufferedReader(
                    new InputStreamReader(Objects.requireNonNull(in, resource), StandardCharsets.US_ASCII)));
        } catch (IOException e) {
            throw new IllegalStateException("the table " + resource + " of " + anchor + " cannot be read", e);
        }
    }

    /**
     * Reads the output of the probe.
     *
     * @param file the file with its output
     * @param os the system that the numbers must be for
     * @return the table
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED} and what to do, if it cannot be read, is not output
     *     of the probe, or is for another system
     */
    public static AbiTable ofProbe(Path file, String os) {
        AbiTable table;
        try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.US_ASCII)) {
            table = parse(in);
        } catch (IOException e) {
            throw unusable(file, "cannot be read: " + e, e);
        } catch (IllegalArgumentException e) {
            throw unusable(file, "is not output of abi-probe: " + e.getMessage(), e);
        }
        if (table.rows.isEmpty()) {
            throw unusable(file, "has no numbers", null);
        }
        for (Row row : table.rows) {
            if (!row.os().equals(os)) {
                throw unusable(file, "is for " + row.os() + ", not for " + os, null);
            }
        }
        return table;
    }

    private static PageLockException unusable(Path file, String why, Throwable cause) {
        return PageLockException.because(Reason.NOT_SUPPORTED)
                .detail("the table of numbers " + file + " " + why)
                .remedies("Compile tools/abi-probe/abi-probe.c on the machine itself, for the data model of the JVM,"
                        + " and use its output")
                .cause(cause)
                .build();
    }

    private static AbiTable parse(BufferedReader in) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.isEmpty() || line.startsWith("#") || line.startsWith("os,")) {
                continue;
            }
            List<String> columns = columns(line);
            if (columns.size() != COLUMNS) {
                throw new IllegalArgumentException("'" + line + "' has " + columns.size() + " columns, not " + COLUMNS);
            }
            rows.add(new Row(columns));
        }
        return new AbiTable(rows);
    }

    private static List<String> columns(String line) {
        List<String> columns = new ArrayList<>();
        StringBuilder column = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                columns.add(column.toString());
                column.setLength(0);
            } else {
                column.append(c);
            }
        }
        columns.add(column.toString());
        return columns;
    }

    /**
     * Returns a copy of this table in which rows of another table replace those of the same kind and name, and its
     * other rows are added.
     *
     * @param probe the output of the probe
     * @param arch the data model of this JVM, {@code LP64} or {@code ILP32}; rows for the other one are ignored
     * @return the table
     */
    public AbiTable overriddenBy(AbiTable probe, String arch) {
        List<Row> all = new ArrayList<>();
        for (Row row : probe.rows) {
            if (row.arch().equals(arch) || row.arch().equals("all")) {
                all.add(row);
            }
        }
        AbiTable chosen = new AbiTable(all);
        List<Row> merged = new ArrayList<>(all);
        for (Row row : rows) {
            if (chosen.find(row.kind(), row.name()) == null) {
                merged.add(row);
            }
        }
        return new AbiTable(merged);
    }

    private Row find(String kind, String name) {
        for (Row row : rows) {
            if (row.kind().equals(kind) && row.name().equals(name)) {
                return row;
            }
        }
        return null;
    }

    /**
     * Looks a number up.
     *
     * @param kind its kind
     * @param name its name in C
     * @return the number; empty if it is not in the table or not known
     */
    public OptionalLong number(String kind, String name) {
        Row row = find(kind, name);
        return row == null ? OptionalLong.empty() : row.number();
    }

    /**
     * Reports whether a number is known and more than a guess.
     *
     * @param kind its kind
     * @param name its name in C
     * @return true if it is in the table, a number, and not unverified
     */
    public boolean isConfirmed(String kind, String name) {
        Row row = find(kind, name);
        return row != null && row.number().isPresent() && row.isConfirmed();
    }

    /**
     * Returns the error numbers of the table.
     *
     * @return the rows of the kind {@code errno} that have a number
     */
    public ErrnoTable errnos() {
        ErrnoTable.Builder errnos = ErrnoTable.builder();
        for (Row row : rows) {
            OptionalLong number = row.number();
            if (row.kind().equals("errno") && number.isPresent()) {
                errnos.put(row.name(), (int) number.getAsLong());
            }
        }
        return errnos.build();
    }

    /**
     * Returns the names of numbers that are not confirmed.
     *
     * @return the rows that are unverified or have no number, by name
     */
    public List<String> unconfirmed() {
        List<String> names = new ArrayList<>();
        for (Row row : rows) {
            if (!row.isConfirmed()) {
                names.add(row.number().isPresent() ? row.name() : row.name() + " (unknown)");
            }
        }
        return names;
    }

    /**
     * Returns every row.
     *
     * @return an unmodifiable list
     */
    public List<Row> rows() {
        return rows;
    }
}
