// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Locks ranges without a thread that waits, for {@link io.pagelock.Capability#NATIVE_ASYNC}.
 *
 * <p>An optional ability: the engine finds it with {@link Backend#ability}. What {@link Backend} says of addresses and
 * threads holds here, too.
 */
public interface AsyncLocking {
    /**
     * Starts to lock a range and returns at once; the system does the rest. The
     * engine keeps the memory reachable and starts no other call for the range until the end is reported.
     *
     * @param address the start
     * @param length the length in bytes
     * @param done called exactly once, by any thread and perhaps before this method returns: with null if the pages are
     *     locked, otherwise with the refusal. May take some time, since the engine unlocks in it after a failure; a backend
     *     with one thread for all ends may let it wait, since it never waits for another end
     * @return the call
     * @throws PageLockException if the system did not take the request, with {@link Reason#QUEUE_FULL} if its queue is full
     *     of others' requests, and with {@link Reason#NOT_SUPPORTED} if it cannot carry this request out by itself;
     *     {@code done} is then never called. After NOT_SUPPORTED, here or as the refusal, the engine locks the range with
     *     {@link Backend#lock} in a thread of its own
     */
    AsyncCall lockAsync(long address, long length, Consumer<@Nullable PageLockException> done);
}
