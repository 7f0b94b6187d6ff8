// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/**
 * Brings pages into memory, for {@link io.pagelock.Capability#PAGE_IN}.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. The rules of {@link Backend} on addresses
 * and threads apply here too.
 */
public interface PagingIn {
    /**
     * Brings the pages of a range into memory without locking them, as well as it can. The engine calls it from several
     * threads for parts of one large range that is locked on fault, so that they page in in parallel; a lock of the
     * same part follows and reports what went wrong.
     *
     * @param address the start
     * @param length the length in bytes
     * @return false if this is no faster for this memory, or if it failed; the engine then stops calling it for this
     *     range
     */
    boolean pageIn(long address, long length);
}
