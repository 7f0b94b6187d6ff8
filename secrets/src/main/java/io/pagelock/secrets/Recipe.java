// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import io.pagelock.PageLocker;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.MemoryGuarding;
import java.util.Set;

/** How the pages of a pool are made: what locks and guards them, and what is asked for. */
final class Recipe {
    final PageLocker locker;
    /** Null where the system cannot guard memory. */
    final MemoryGuarding guarding;

    final Set<Protection> required;
    /** Including what is required. */
    final Set<Protection> wanted;

    final int pageSize;

    Recipe(PageLocker locker, Set<Protection> required, Set<Protection> wanted) {
        this.locker = locker;
        this.required = required;
        this.wanted = wanted;
        guarding = PageLockers.ability(locker, MemoryGuarding.class).orElse(null);
        pageSize = (int) locker.pageSize();
    }

    static MemoryGuard guardOf(Protection protection) {
        switch (protection) {
            case NOT_DUMPED:
                return MemoryGuard.NOT_DUMPED;
            case NOT_INHERITED:
                return MemoryGuard.NOT_INHERITED;
            case GUARD_PAGES:
                return MemoryGuard.NO_ACCESS;
            case SECRET_MEMORY:
                return MemoryGuard.SECRET;
            default:
                return null;
        }
    }
}
