// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/**
 * Controls a lock that the system carries out by itself, see {@link AsyncLocking#lockAsync}. Made by the backend, one per call, and used
 * by the engine from any thread.
 */
public interface AsyncCall {
    /**
     * Asks the system not to begin. Returns at once, does nothing to a call that is running or done, and may be called again.
     * The end is reported all the same: with {@link io.pagelock.Reason#CANCELLED} if the pages were never locked by this call.
     */
    void cancel();
}
