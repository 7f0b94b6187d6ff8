// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Holds the remedies of one system: for each reason what a user can change, one setting a line, the most likely first. A line may
 * contain {@code {bytes}} and {@code {kib}}, which stand for the size that suffices. Immutable.
 */
public final class Remedies {
    private final Map<Reason, List<String>> lines;

    private Remedies(Map<Reason, List<String>> lines) {
        this.lines = new EnumMap<>(lines);
    }

    /**
     * Starts with the remedies that every system shares: for a hole, for locked pages that should be invalidated, and
     * for a full file system.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder()
                .put(
                        Reason.NOT_MAPPED,
                        "Keep the memory mapped while it is being locked or synced: unmapping in another thread makes the"
                                + " hole")
                .put(Reason.BUSY, "Close the locks over the range before invalidating it", "Sync without invalidating")
                .put(Reason.NO_SPACE, "Make room in the file system of the mapped file");
    }

    /**
     * Returns the remedies for a reason.
     *
     * @param reason why a call failed
     * @param bytes the size that suffices for the whole request; 0 if no size is involved, in which case the lines say
     *     {@code BYTES} and {@code KIB}
     * @return the lines, none if nothing is known to help
     */
    public List<String> of(Reason reason, long bytes) {
        List<String> filled = new ArrayList<>();
        String kib = bytes == 0 ? "KIB" : Long.toString(bytes / 1024 + (bytes % 1024 == 0 ? 0 : 1));
        for (String line : lines.getOrDefault(reason, Collections.<String>emptyList())) {
            filled.add(line.replace("{bytes}", bytes == 0 ? "BYTES" : Long.toString(bytes))
                    .replace("{kib}", kib));
        }
        return Collections.unmodifiableList(filled);
    }

    /** Collects remedies. Not safe for several threads. */
    public static final class Builder {
        private final Map<Reason, List<String>> lines = new EnumMap<>(Reason.class);

        private Builder() {}

        /**
         * Sets the remedies for a reason, in place of those that were set before.
         *
         * @param reason the reason
         * @param all one setting each, the most likely first
         * @return this builder
         */
        public Builder put(Reason reason, String... all) {
            lines.put(reason, Arrays.asList(all));
            return this;
        }

        /**
         * Ends the collection.
         *
         * @return the remedies
         */
        public Remedies build() {
            return new Remedies(lines);
        }
    }
}
