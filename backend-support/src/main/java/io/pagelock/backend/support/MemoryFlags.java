// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.AddressSpaceScope;
import io.pagelock.SyncOption;
import java.util.Set;

/** Computes the flags of mlockall and msync from scope and options; the numbers are the system's own. */
public final class MemoryFlags {
    private MemoryFlags() {}

    /**
     * Returns the argument of mlockall(2), or of MC_LOCKAS, for a system without locking on fault.
     *
     * @param scope what was asked for
     * @param current the system's {@code MCL_CURRENT}
     * @param future its {@code MCL_FUTURE}
     * @return the flags
     */
    public static int ofLockAll(AddressSpaceScope scope, int current, int future) {
        return (scope.includesCurrent() ? current : 0) | (scope.includesFuture() ? future : 0);
    }

    /**
     * Returns the argument of msync(2), or of MC_SYNC: exactly one of sync and async, as POSIX requires.
     *
     * @param options what was asked for; without {@link SyncOption#ASYNC} it is sync
     * @param sync the system's {@code MS_SYNC}
     * @param async its {@code MS_ASYNC}
     * @param invalidate its {@code MS_INVALIDATE}
     * @return the flags
     */
    public static int ofSync(Set<SyncOption> options, int sync, int async, int invalidate) {
        return (options.contains(SyncOption.ASYNC) ? async : sync)
                | (options.contains(SyncOption.INVALIDATE) ? invalidate : 0);
    }
}
