// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;

/**
 * Refuses a large lock ahead, for systems that would find out late: where the kernel enforces a limit by killing the process,
 * or where a range is locked in steps and the first ones would bring in what the last one is refused.
 *
 * <p>A {@link Backend} implements this where it can. May be called by any thread at any time.
 */
public interface LimitChecking {
    /**
     * Checks that a range can be locked fully, by the limits as they are. The engine calls it before it locks a large range in
     * steps. Brings nothing in and locks nothing.
     *
     * @param address the start, aligned
     * @param length the length in bytes, aligned
     * @throws PageLockException if the range certainly cannot be locked, with the reason, the numbers and the remedies; never
     *     for lack of knowledge
     */
    void checkLimits(long address, long length);
}
