// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.Map;

/**
 * What {@link PageLocker#statistics()} of {@link PageLocker#system()} tells, for monitoring tools, registered as
 * {@value #NAME}. It is registered in the background soon after the first lock; the system property
 * {@code io.pagelock.jmx=false} prevents it.
 */
public interface PageLockerMXBean {
    /** The name of the one instance. */
    String NAME = "io.pagelock:type=PageLocker";

    /**
     * The backend in use.
     *
     * @return name, system and processor
     */
    String getBackend();

    /**
     * The number of handles that are open or being locked just now.
     *
     * @return handles
     */
    long getOpenHandles();

    /**
     * The pages under these handles, each once.
     *
     * @return bytes
     */
    long getLockedBytes();

    /**
     * The same in pages.
     *
     * @return pages
     */
    long getLockedPages();

    /**
     * What the system counts as locked by this process.
     *
     * @return bytes, or -1 if the system does not tell
     */
    long getSystemLockedBytes();

    /**
     * Handles that became unreachable without being closed.
     *
     * @return handles since the start
     */
    long getLeakedHandles();

    /**
     * The longest time that one lock of a range took, see {@link Statistics#longestLockNanos()}.
     *
     * @return nanoseconds
     */
    long getLongestLockNanos();

    /**
     * Bytes that no handle covers and that may still be locked.
     *
     * @return bytes, normally 0
     */
    long getLeftoverBytes();

    /**
     * Bytes that open handles cover and nothing is mapped at, see {@link PageLocker#unmapped()}. Reads the list of mappings.
     *
     * @return bytes, normally 0; -1 if the system does not list mappings
     */
    long getUnmappedBytes();

    /**
     * How often an operation failed.
     *
     * @return counts by the name of the {@link Reason}, without zero entries
     */
    Map<String, Long> getFailures();
}
