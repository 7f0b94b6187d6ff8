// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.List;
import java.util.Map;

/**
 * Offers {@link PageLocker#statistics()} of {@link PageLocker#system()} to monitoring tools. The bean {@value #NAME} is
 * registered in the background shortly after the first lock; the system property {@code io.pagelock.jmx=false} prevents
 * it.
 */
public interface PageLockerMXBean {
    /** Names the one instance. */
    String NAME = "io.pagelock:type=PageLocker";

    /**
     * Describes the backend in use.
     *
     * @return name, system and processor
     */
    String getBackend();

    /**
     * Returns the number of open handles, including those whose lock is in progress.
     *
     * @return handles
     */
    long getOpenHandles();

    /**
     * Returns how many bytes these handles cover, each page once.
     *
     * @return bytes
     */
    long getLockedBytes();

    /**
     * Returns the same in pages.
     *
     * @return pages
     */
    long getLockedPages();

    /**
     * Returns what the system counts as locked by this process.
     *
     * @return bytes, or -1 if the system does not report it
     */
    long getSystemLockedBytes();

    /**
     * Returns the number of handles that became unreachable without being closed.
     *
     * @return handles since the start
     */
    long getLeakedHandles();

    /**
     * Returns the last handles that became unreachable without being closed, at most ten, with the place where each was made if that
     * was recorded, see {@link PageLocker#LEAKS_PROPERTY}.
     *
     * @return one sentence for each, for people; the oldest first
     */
    List<String> getRecentLeaks();

    /**
     * Returns the longest time that one lock of a range took, see {@link Statistics#longestLockNanos()}.
     *
     * @return nanoseconds
     */
    long getLongestLockNanos();

    /**
     * Returns how many bytes may still be locked although no handle covers them.
     *
     * @return bytes, normally 0
     */
    long getLeftoverBytes();

    /**
     * Returns how many bytes of open handles are no longer mapped, see {@link PageLocker#unmapped()}. Reads the list of
     * mappings.
     *
     * @return bytes, normally 0; -1 if the system does not list mappings
     */
    long getUnmappedBytes();

    /**
     * Returns how often an operation failed.
     *
     * @return counts by the name of the {@link Reason}, without zero entries
     */
    Map<String, Long> getFailures();
}
