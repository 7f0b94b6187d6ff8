// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.MemoryRange;
import io.pagelock.PageStates;
import io.pagelock.Tristate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads the state of pages, for {@link io.pagelock.Capability#RESIDENT_PAGES} and
 * {@link io.pagelock.Capability#LOCKED_PAGES}.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. What {@link Backend} says of addresses and
 * threads holds here, too.
 */
public interface PageStateReading {
    /**
     * Asks which pages are locked and resident. Never guesses and never throws for lack of knowledge.
     *
     * @param range an aligned range
     * @return the answers
     */
    PageStates pageStates(MemoryRange range);

    /**
     * Asks about many ranges. Worth implementing where a part of the answer does not depend on the range, such as the list of
     * mappings, and can be read once for all.
     *
     * @param ranges aligned ranges, at least one, in any order; they may overlap
     * @return the answers, in the order of the ranges
     */
    default List<PageStates> pageStates(List<MemoryRange> ranges) {
        List<PageStates> answers = new ArrayList<>(ranges.size());
        for (MemoryRange each : ranges) {
            answers.add(pageStates(each));
        }
        return answers;
    }

    /**
     * Asks whether anything in a range is locked, at the cost of one system call: the engine asks before each lock of memory that
     * other handles hold, since their memory may be unmapped and other memory mapped at its address.
     *
     * @param range an aligned range
     * @return no only if no page of it is locked, on fault or fully; unknown if that takes longer to find out
     */
    default Tristate anyLocked(MemoryRange range) {
        return Tristate.UNKNOWN;
    }

    /**
     * Returns the parts of a range that are mapped.
     *
     * @param range an aligned range
     * @return the mapped parts, aligned, sorted and disjoint; or nothing if the system does not report them
     */
    default Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return Optional.empty();
    }
}
