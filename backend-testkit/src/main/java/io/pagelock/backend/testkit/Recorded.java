// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What real kernels answered, for whatever is to answer like them: a stand-in, the {@link FakeKernel}, the kernel itself. */
public final class Recorded {
    private Recorded() {}

    /**
     * What FreeBSD 15.1 answered. The keys name cases; the answers are results of calls, {@code -1/ENOMEM} for a failure, and
     * numbers of pages. The file {@code freebsd-golden.tsv} says of each row whether it was recorded or read in the source.
     *
     * @return an unmodifiable map from keys to answers, in the order of the file
     */
    public static Map<String, String> freebsd() {
        return read("freebsd-golden.tsv");
    }

    private static Map<String, String> read(String name) {
        Map<String, String> answers = new LinkedHashMap<>();
        try (InputStream in = Recorded.class.getResourceAsStream(name);
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("#")) {
                    continue;
                }
                String[] fields = line.split("\t", -1);
                if (fields.length != 3 || answers.put(fields[0], fields[1]) != null) {
                    throw new IllegalStateException(name + ": not a row of its own with three fields: " + line);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Collections.unmodifiableMap(answers);
    }
}
