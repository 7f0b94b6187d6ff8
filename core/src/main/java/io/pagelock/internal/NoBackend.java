// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.Backend;
import io.pagelock.spi.Host;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What a program goes on with where there is no backend or none is wanted: refuses every lock and knows nothing. */
final class NoBackend implements Backend {
    /** Java has no way to ask for it. Nothing is locked, so it decides nothing but the rounding in messages. */
    private static final long PAGE = 4096;

    private final Host host = Host.current();
    private final PageLockException why;

    /** @param why what each lock is refused with */
    NoBackend(PageLockException why) {
        this.why = why;
    }

    @Override
    public BackendInfo info() {
        return new BackendInfo(
                "none",
                host.osName() + " " + host.osVersion(),
                host.arch(),
                Collections.singletonList("nothing is locked: " + why.detail()));
    }

    @Override
    public long pageSize() {
        return PAGE;
    }

    @Override
    public int addressBits() {
        return host.bits();
    }

    @Override
    public Set<Capability> capabilities() {
        return EnumSet.noneOf(Capability.class);
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        throw why.toBuilder().build();
    }

    @Override
    public void unlock(long address, long length) {
        // Nothing is locked.
    }

    @Override
    public LockLimits limits() {
        return LockLimits.builder()
                .limit(LockLimit.builder("none", LockLimit.Scope.PROCESS)
                        .soft(LimitValue.unknown())
                        .build())
                .permitted(Tristate.NO)
                .build();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return why.remedies();
    }

    @Override
    public long address(ByteBuffer buffer) {
        return BufferAddress.of(buffer);
    }
}
