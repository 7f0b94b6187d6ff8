// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Reports which pages of a range are locked and which are resident, page by page: yes, no, or unknown. A snapshot that may be out
 * of date when it is returned, except that a locked page stays resident while it is locked. Immutable.
 *
 * @see PageLocker#pageStates(MemoryRange)
 */
public final class PageStates {
    private static final Tristate[] ANSWERS = Tristate.values();

    private final MemoryRange range;
    private final long pageSize;
    private final byte[] locked;
    private final byte[] resident;

    private PageStates(MemoryRange range, long pageSize, byte[] locked, byte[] resident) {
        this.range = range;
        this.pageSize = pageSize;
        this.locked = locked;
        this.resident = resident;
    }

    /**
     * Starts a snapshot in which every answer is {@link Tristate#UNKNOWN}; for backends.
     *
     * @param range the range, aligned to the page size
     * @param pageSize the page size in bytes
     * @return a builder for the range
     * @throws IllegalArgumentException if the range is not aligned or has more than 2^31-9 pages
     */
    public static Builder unknown(MemoryRange range, long pageSize) {
        return new Builder(range, pageSize);
    }

    /**
     * Returns the range that the answers are for, rounded outward to whole pages.
     *
     * @return the aligned range
     */
    public MemoryRange range() {
        return range;
    }

    /**
     * Returns the size of a page.
     *
     * @return bytes in a page
     */
    public long pageSize() {
        return pageSize;
    }

    /**
     * Returns the number of pages.
     *
     * @return pages in the range
     */
    public int pageCount() {
        return locked.length;
    }

    /**
     * Reports whether the system must keep the page in memory. A page that waits for its first touch under
     * {@link LockOption#ON_FAULT} is not locked yet.
     *
     * @param page the index of the page, from 0
     * @return yes, no or unknown
     */
    public Tristate locked(int page) {
        return ANSWERS[locked[page]];
    }

    /**
     * Reports whether the page is in memory now.
     *
     * @param page the index of the page, from 0
     * @return yes, no or unknown
     */
    public Tristate resident(int page) {
        return ANSWERS[resident[page]];
    }

    /**
     * Counts the pages whose {@link #locked} is as given.
     *
     * @param answer the answer to count
     * @return the number of pages
     */
    public int countLocked(Tristate answer) {
        return count(locked, answer);
    }

    /**
     * Counts the pages whose {@link #resident} is as given.
     *
     * @param answer the answer to count
     * @return the number of pages
     */
    public int countResident(Tristate answer) {
        return count(resident, answer);
    }

    private static int count(byte[] answers, Tristate answer) {
        int count = 0;
        for (byte each : answers) {
            if (each == answer.ordinal()) {
                count++;
            }
        }
        return count;
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may
     * be added.
     *
     * @return a new map, with the number of pages for each answer instead of the answers
     */
    @JsonValue
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("range", range.toMap());
        map.put("pageSize", pageSize);
        map.put("pageCount", pageCount());
        map.put("locked", counts(locked));
        map.put("resident", counts(resident));
        return map;
    }

    private static Map<String, Integer> counts(byte[] answers) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (Tristate each : ANSWERS) {
            counts.put(each.name(), count(answers, each));
        }
        return counts;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof PageStates)) {
            return false;
        }
        PageStates that = (PageStates) other;
        return range.equals(that.range)
                && pageSize == that.pageSize
                && Arrays.equals(locked, that.locked)
                && Arrays.equals(resident, that.resident);
    }

    @Override
    public int hashCode() {
        return 31 * Objects.hash(range, pageSize, Arrays.hashCode(locked)) + Arrays.hashCode(resident);
    }

    @Override
    public String toString() {
        return range + ": " + pageCount() + " pages, " + summary(locked, "locked") + ", "
                + summary(resident, "resident");
    }

    private static String summary(byte[] answers, String word) {
        int unknown = count(answers, Tristate.UNKNOWN);
        return count(answers, Tristate.YES) + " " + word + (unknown == 0 ? "" : " (" + unknown + " unknown)");
    }

    /** Collects the answers for a {@link PageStates}; for backends. Not safe for several threads. */
    public static final class Builder {
        private final MemoryRange range;
        private final long pageSize;
        private final byte[] locked;
        private final byte[] resident;

        private Builder(MemoryRange range, long pageSize) {
            this.range = Objects.requireNonNull(range, "range");
            this.pageSize = pageSize;
            if (!range.alignedTo(pageSize).equals(range)) {
                throw new IllegalArgumentException(range + " is not aligned to pages of " + pageSize + " bytes");
            }
            long pages = range.length() / pageSize;
            if (pages > Integer.MAX_VALUE - 8) {
                throw new IllegalArgumentException(
                        range + " has " + pages + " pages; ask for at most 2^31-9 pages in one call");
            }
            locked = new byte[(int) pages];
            resident = new byte[(int) pages];
            Arrays.fill(locked, (byte) Tristate.UNKNOWN.ordinal());
            Arrays.fill(resident, (byte) Tristate.UNKNOWN.ordinal());
        }

        /**
         * Sets whether one page is locked.
         *
         * @param page the index of the page
         * @param answer the answer
         * @return this builder
         */
        public Builder locked(int page, Tristate answer) {
            locked[page] = (byte) answer.ordinal();
            return this;
        }

        /**
         * Sets whether one page is resident.
         *
         * @param page the index of the page
         * @param answer the answer
         * @return this builder
         */
        public Builder resident(int page, Tristate answer) {
            resident[page] = (byte) answer.ordinal();
            return this;
        }

        /**
         * Ends the snapshot. The builder must not be used afterwards.
         *
         * @return the answers
         */
        public PageStates build() {
            return new PageStates(range, pageSize, locked, resident);
        }
    }
}
