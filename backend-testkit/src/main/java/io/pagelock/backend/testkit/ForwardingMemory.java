// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.util.Objects;

/** Forwards every call to another memory, for harnesses and raw calls over one. */
public abstract class ForwardingMemory implements ProcessMemory {
    private final ProcessMemory memory;

    /**
     * Wraps a memory.
     *
     * @param memory the memory that gets the calls
     */
    protected ForwardingMemory(ProcessMemory memory) {
        this.memory = Objects.requireNonNull(memory, "memory");
    }

    @Override
    public long map(long pages) {
        return memory.map(pages);
    }

    @Override
    public long mapNoReserve(long pages) {
        return memory.mapNoReserve(pages);
    }

    @Override
    public long mapFile(long pages) {
        return memory.mapFile(pages);
    }

    @Override
    public void truncate(long address, long pages) {
        memory.truncate(address, pages);
    }

    @Override
    public void unmap(long address, long pages) {
        memory.unmap(address, pages);
    }

    @Override
    public void remap(long address, long pages) {
        memory.remap(address, pages);
    }

    @Override
    public void protect(long address, long pages) {
        memory.protect(address, pages);
    }

    @Override
    public void touch(long address) {
        memory.touch(address);
    }

    @Override
    public boolean isLocked(long address) {
        return memory.isLocked(address);
    }

    @Override
    public boolean isResident(long address) {
        return memory.isResident(address);
    }

    @Override
    public long lockedBytes() {
        return memory.lockedBytes();
    }

    @Override
    public long pageSize() {
        return memory.pageSize();
    }
}
