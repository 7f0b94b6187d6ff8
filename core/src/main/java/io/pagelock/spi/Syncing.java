// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import java.util.Set;

/**
 * Writes pages back, for {@link io.pagelock.Capability#SYNC}.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. The rules of {@link Backend} on addresses
 * and threads apply here too.
 */
public interface Syncing {
    /**
     * Writes pages back.
     *
     * @param address the start
     * @param length the length in bytes
     * @param options how; without {@code ASYNC}, returns when the pages are written
     * @throws PageLockException if the system refused; with {@link Reason#BUSY} if locked pages should be invalidated
     */
    void sync(long address, long length, Set<SyncOption> options);
}
