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
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. The rules of {@link Backend} on addresses
 * and threads apply here too.
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
     * Asks about many ranges. This is worth implementing if part of the answer, such as the list of mappings, does not
     * depend on the range and can be read once for all.
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
     * Asks whether anything in a range is locked, with a single system call. The engine asks before each lock of memory
     * that other handles hold, since that memory may have been unmapped and other memory mapped at its address.
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
