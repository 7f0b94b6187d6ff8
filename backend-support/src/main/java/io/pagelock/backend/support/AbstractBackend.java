// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.spi.Backend;
import io.pagelock.spi.MemoryGuarding;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Holds the facts about a backend, which are determined once, when it is opened. */
public abstract class AbstractBackend implements Backend {
    private final BackendInfo info;
    private final Set<Capability> capabilities;
    private final long pageSize;
    private final int addressBits;
    private final NativeAccess addresses;
    /** Set before anybody else sees the backend; null where memory cannot be guarded. */
    private Supplier<? extends MemoryGuarding> guardingMaker;

    private MemoryGuarding guarding;

    /**
     * Keeps the facts.
     *
     * @param info name, system and notes; the name of the binding is added
     * @param capabilities what the system can do; is copied
     * @param pageSize bytes in a page
     * @param addressBits 32 or 64
     * @param addresses the addresses of direct buffers, normally the {@link CLibrary}
     */
    protected AbstractBackend(
            BackendInfo info, Set<Capability> capabilities, long pageSize, int addressBits, NativeAccess addresses) {
        this.info = addresses.describe(info);
        Set<Capability> copy = EnumSet.noneOf(Capability.class);
        copy.addAll(capabilities);
        this.capabilities = Collections.unmodifiableSet(copy);
        this.pageSize = pageSize;
        this.addressBits = addressBits;
        this.addresses = addresses;
    }

    /**
     * Adds the ability to guard memory, which needs the backend itself to explain refusals. It is created on first use:
     * most processes guard nothing, and binding its calls would delay their first lock.
     *
     * @param ability creates the ability; called once
     */
    protected final void addGuarding(Supplier<? extends MemoryGuarding> ability) {
        guardingMaker = ability;
    }

    private synchronized MemoryGuarding guarding() {
        if (guarding == null && guardingMaker != null) {
            guarding = guardingMaker.get();
        }
        return guarding;
    }

    @Override
    public <A> Optional<A> ability(Class<A> type) {
        return type == MemoryGuarding.class ? Optional.ofNullable(type.cast(guarding())) : Backend.super.ability(type);
    }

    @Override
    public final BackendInfo info() {
        return info;
    }

    @Override
    public final long pageSize() {
        return pageSize;
    }

    @Override
    public final int addressBits() {
        return addressBits;
    }

    @Override
    public final Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public final long address(ByteBuffer buffer) {
        return addresses.address(buffer);
    }
}
