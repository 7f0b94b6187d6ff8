// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Locks nothing, at once. */
final class NoBackend implements Backend {
    @Override
    public BackendInfo info() {
        return new BackendInfo("none", "nothing", "none", List.of());
    }

    @Override
    public long pageSize() {
        return Baseline.PAGE;
    }

    @Override
    public int addressBits() {
        return 64;
    }

    @Override
    public Set<Capability> capabilities() {
        return EnumSet.of(Capability.LOCK_ON_FAULT);
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {}

    @Override
    public void unlock(long address, long length) {}

    @Override
    public LockLimits limits() {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return Collections.emptyList();
    }

    @Override
    public long address(ByteBuffer buffer) {
        throw new UnsupportedOperationException();
    }
}
