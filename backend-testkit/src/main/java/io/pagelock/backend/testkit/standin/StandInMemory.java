// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import java.util.Objects;

/** The memory of a {@link StandIn}, under the names by which the tests of the contract and of raw calls ask for it. */
abstract class StandInMemory {
    final StandIn standIn;

    /** Resets the stand-in. */
    StandInMemory(StandIn standIn) {
        this.standIn = Objects.requireNonNull(standIn, "standIn");
        standIn.reset();
    }

    /**
     * Returns the page size.
     *
     * @return bytes in a page
     */
    public long pageSize() {
        return standIn.pageSize();
    }

    /**
     * Maps anonymous memory.
     *
     * @param pages how many pages
     * @return the start address
     */
    public long map(long pages) {
        return standIn.map(pages);
    }

    /**
     * Unmaps pages.
     *
     * @param address the start
     * @param pages how many pages
     */
    public void unmap(long address, long pages) {
        standIn.unmap(address, pages);
    }

    /**
     * Unmaps pages and maps others in their place.
     *
     * @param address the start
     * @param pages how many pages
     */
    public void remap(long address, long pages) {
        standIn.remap(address, pages);
    }

    /**
     * Takes all access rights from pages.
     *
     * @param address the start
     * @param pages how many pages
     */
    public void protect(long address, long pages) {
        standIn.protect(address, pages);
    }

    /**
     * Writes to a page.
     *
     * @param address an address in it
     */
    public void touch(long address) {
        standIn.touch(address);
    }

    /**
     * Asks the kernel whether a page is locked.
     *
     * @param address an address in it
     * @return true if it is
     */
    public boolean isLocked(long address) {
        return standIn.isLocked(address);
    }

    /** Unlocks and unmaps everything. */
    public void close() {
        standIn.reset();
    }
}
