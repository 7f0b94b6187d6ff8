// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;

/**
 * Refuses a large lock in advance, for systems that would notice too late: the kernel may enforce a limit by killing
 * the process, or the range may be locked in steps, the first of which would bring in pages before the last one is
 * refused.
 *
 * <p>A {@link Backend} implements this if it can. It may be called by any thread at any time.
 */
public interface LimitChecking {
    /**
     * Checks that a range can be locked fully under the current limits. The engine calls it before it locks a large
     * range in steps. Brings nothing in and locks nothing.
     *
     * @param address the start, aligned
     * @param length the length in bytes, aligned
     * @throws PageLockException if the range certainly cannot be locked, with the reason, the numbers and the remedies;
     *     never for lack of knowledge
     */
    void checkLimits(long address, long length);
}
