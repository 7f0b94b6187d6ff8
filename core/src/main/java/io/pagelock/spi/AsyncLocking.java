// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Locks ranges without a waiting thread, for {@link io.pagelock.Capability#NATIVE_ASYNC}.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. The rules of {@link Backend} on addresses
 * and threads apply here too.
 */
public interface AsyncLocking {
    /**
     * Starts to lock a range and returns at once; the system does the rest. The engine keeps the memory reachable and
     * starts no other call for the range until the end is reported.
     *
     * @param address the start
     * @param length the length in bytes
     * @param done called exactly once, by any thread and perhaps before this method returns: with null if the pages are
     *     locked, otherwise with the refusal. It may take some time, since the engine unlocks in it after a failure. A
     *     backend may call it on a single thread for all ends, since it never waits for another end
     * @return the call
     * @throws PageLockException if the system did not accept the request, with {@link Reason#QUEUE_FULL} if its queue
     *     is full of requests from other code, and with {@link Reason#NOT_SUPPORTED} if the system itself cannot carry
     *     out this request; {@code done} is then never called. After NOT_SUPPORTED, thrown here or passed to
     *     {@code done}, the engine locks the range with {@link Backend#lock} on one of its threads
     */
    AsyncCall lockAsync(long address, long length, Consumer<@Nullable PageLockException> done);
}
