// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.support.AbstractGuarding;
import io.pagelock.backend.support.GuardCalls;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.PageStateReading;
import java.util.EnumSet;
import java.util.Set;

/** madvise(2) with MADV_NOCORE, and minherit(2) with INHERIT_ZERO, or INHERIT_NONE where that is not known (before 12). */
final class FreeBsdGuarding extends AbstractGuarding {
    private final GuardCalls calls;

    FreeBsdGuarding(GuardCalls calls, PageStateReading mappings) {
        super(calls, FreeBsdConstants.ERRNO, mappings, true);
        this.calls = calls;
    }

    @Override
    protected Set<MemoryGuard> probe() {
        return calls.has("minherit")
                ? EnumSet.of(MemoryGuard.NOT_DUMPED, MemoryGuard.NOT_INHERITED)
                : EnumSet.of(MemoryGuard.NOT_DUMPED);
    }

    @Override
    protected void set(long address, long length, MemoryGuard guard, boolean on) {
        if (guard == MemoryGuard.NOT_DUMPED) {
            int advice = on ? FreeBsdConstants.MADV_NOCORE : FreeBsdConstants.MADV_CORE;
            check("madvise", calls.madvise(address, length, advice), address, length);
        } else if (!on) {
            inherit(address, length, FreeBsdConstants.INHERIT_COPY);
        } else if (calls.minherit(address, length, FreeBsdConstants.INHERIT_ZERO) != 0) {
            int errno = calls.errno();
            if (errno != FreeBsdConstants.EINVAL) {
                throw refusal("minherit", errno, address, length);
            }
            inherit(address, length, FreeBsdConstants.INHERIT_NONE);
        }
    }

    private void inherit(long address, long length, int inheritance) {
        check("minherit", calls.minherit(address, length, inheritance), address, length);
    }
}
