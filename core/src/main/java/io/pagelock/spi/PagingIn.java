// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/**
 * Brings pages into memory, for {@link io.pagelock.Capability#PAGE_IN}.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. What {@link Backend} says of addresses and
 * threads holds here, too.
 */
public interface PagingIn {
    /**
     * Brings the pages of a range into memory, best as they can, without locking them.
     * The engine calls it from several threads for parts of one large range that is locked on fault, so that paging in goes
     * side by side; a lock of the same part follows and reports what went wrong.
     *
     * @param address the start
     * @param length the length in bytes
     * @return false if it does not pay for this memory, or failed; the engine then stops calling it for this range
     */
    boolean pageIn(long address, long length);
}
