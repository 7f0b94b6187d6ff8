// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.spi.Backend;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** What a backend tells of itself, found out once when it is opened. */
public abstract class AbstractBackend implements Backend {
    private final BackendInfo info;
    private final Set<Capability> capabilities;
    private final long pageSize;
    private final int addressBits;
    private final NativeAccess addresses;

    /**
     * Keeps what was found out.
     *
     * @param info name, system and notes; how C is called is added
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
