// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

/**
 * Controls a lock that the system itself carries out, see {@link AsyncLocking#lockAsync}. The backend makes one per
 * call, and the engine uses it from any thread.
 */
public interface AsyncCall {
    /**
     * Asks the system not to begin. Returns at once, does nothing to a call that is running or done, and may be called
     * again. The end of the call is still reported, with {@link io.pagelock.Reason#CANCELLED} if this call never locked
     * the pages.
     */
    void cancel();
}
