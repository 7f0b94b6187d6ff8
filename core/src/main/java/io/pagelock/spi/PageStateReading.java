// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.MemoryRange;
import io.pagelock.PageStates;
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
     * The parts of a range that are mapped.
     *
     * @param range an aligned range
     * @return the mapped parts, aligned, sorted and disjoint; or nothing if the system does not tell
     */
    default Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return Optional.empty();
    }
}
