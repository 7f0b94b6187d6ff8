// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import java.util.OptionalLong;

/**
 * Counts the mappings that this process has and may have, for systems that limit their number: each locked page between
 * unlocked ones takes two more. A process that reaches the limit fails wherever it maps memory, and a JVM may abort;
 * the engine keeps a reserve.
 *
 * <p>A {@link Backend} implements this if it can. Both methods may be called by any thread at any time.
 */
public interface MappingBudget {
    /**
     * Returns how many mappings this process may have. Reads a small file at most.
     *
     * @return the limit in force, {@code vm.max_map_count} on Linux; empty if it cannot be read
     */
    OptionalLong mostMappings();

    /**
     * Counts the mappings that this process has. Takes time that grows with their number, some 10 ms for 65,000 on Linux, so
     * ask only as the limit comes near.
     *
     * @return the number, perhaps a few too large; empty if it cannot be counted
     */
    OptionalLong mappings();
}
