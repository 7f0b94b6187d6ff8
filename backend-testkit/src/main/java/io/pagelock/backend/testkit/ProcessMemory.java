// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

/**
 * Maps memory of one process for tests and asks its kernel about it, not by the calls under test: that of a stand-in in this process, or
 * of an agent elsewhere. Addresses are on page boundaries. What the kernel refuses is thrown.
 */
public interface ProcessMemory {
    /**
     * Returns the page size.
     *
     * @return bytes in a page
     */
    long pageSize();

    /**
     * Maps private memory, not touched, with holes on either side.
     *
     * @param pages how many pages
     * @return the address
     */
    long map(long pages);

    /**
     * Maps private memory for which nothing is reserved.
     *
     * @param pages how many pages
     * @return the address
     */
    long mapNoReserve(long pages);

    /**
     * Maps a file of its own.
     *
     * @param pages how many pages
     * @return the address
     */
    long mapFile(long pages);

    /**
     * Shortens a file.
     *
     * @param address what {@link #mapFile} returned
     * @param pages how many pages it has from now on
     */
    void truncate(long address, long pages);

    /**
     * Unmaps pages.
     *
     * @param address the address
     * @param pages how many pages
     */
    void unmap(long address, long pages);

    /**
     * Maps new memory in place of pages.
     *
     * @param address the address
     * @param pages how many pages
     */
    void remap(long address, long pages);

    /**
     * Takes every access from pages.
     *
     * @param address the address
     * @param pages how many pages
     */
    void protect(long address, long pages);

    /**
     * Writes to a page.
     *
     * @param address an address in it
     */
    void touch(long address);

    /**
     * Asks the kernel whether it counts a page as locked, in memory or not.
     *
     * @param address an address in it
     * @return whether it does
     */
    boolean isLocked(long address);

    /**
     * Asks the kernel whether a page is in memory.
     *
     * @param address an address in it
     * @return whether it is
     */
    boolean isResident(long address);

    /**
     * Asks the kernel how much is locked.
     *
     * @return bytes
     */
    long lockedBytes();
}
