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

    public long pageSize() {
        return standIn.pageSize();
    }

    public long map(long pages) {
        return standIn.map(pages);
    }

    public void unmap(long address, long pages) {
        standIn.unmap(address, pages);
    }

    public void remap(long address, long pages) {
        standIn.remap(address, pages);
    }

    public void protect(long address, long pages) {
        standIn.protect(address, pages);
    }

    public void touch(long address) {
        standIn.touch(address);
    }

    public boolean isLocked(long address) {
        return standIn.isLocked(address);
    }

    public void close() {
        standIn.reset();
    }
}
