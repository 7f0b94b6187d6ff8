// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is known of a system, as its backend brings it along: a resource {@code META-INF/pagelock/NAME/FILE} with rows of columns
 * separated by tabs, and comments after {@code #}.
 */
final class Facts {
    private final String name;
    private final List<List<String>> rows = new ArrayList<>();

    private Facts(String name) {
        this.name = name;
    }

    /**
     * @param system the name of the backend
     * @throws IllegalStateException if the class path has no such backend, or no such file in it
     */
    static Facts of(String system, String file, int columns) {
        String name = "META-INF/pagelock/" + system + "/" + file;
        InputStream in = Facts.class.getClassLoader().getResourceAsStream(name);
        if (in == null) {
            throw new IllegalStateException(
                    "no " + name + " on the class path; it is in the jar of the backend " + system);
        }
        return read(name, new InputStreamReader(in, StandardCharsets.UTF_8), columns);
    }

    /** Reads and closes. */
    static Facts read(String name, Reader from, int columns) {
        Facts facts = new Facts(name);
        try (BufferedReader in = new BufferedReader(from)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.isEmpty() || line.startsWith("#")) {
                    continue;
                }
                List<String> row = Arrays.asList(line.split("\t", -1));
                if (row.size() != columns) {
                    throw new IllegalStateException(name + ": not " + columns + " columns: " + line);
                }
                facts.rows.add(row);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
        return facts;
    }

    List<List<String>> rows() {
        return rows;
    }

    /** The second column by the first, in the order of the file. */
    Map<String, String> byKey() {
        Map<String, String> values = new LinkedHashMap<>();
        for (List<String> row : rows) {
            if (values.put(row.get(0), row.get(1)) != null) {
                throw new IllegalStateException(name + ": two rows for " + row.get(0));
            }
        }
        return Collections.unmodifiableMap(values);
    }

    @Override
    public String toString() {
        return name;
    }
}
