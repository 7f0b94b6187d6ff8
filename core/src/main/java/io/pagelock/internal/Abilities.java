// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageStates;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.PagingIn;
import io.pagelock.spi.Syncing;

/** Finds the optional abilities of a backend. */
final class Abilities {
    private Abilities() {}

    /** The ability, or null. */
    static <A> A of(Backend backend, Class<A> type) {
        return backend.ability(type).orElse(null);
    }

    /** What reads page states; where the backend has no such ability, every answer is unknown. */
    static PageStateReading pageStates(Backend backend) {
        PageStateReading reading = of(backend, PageStateReading.class);
        return reading != null
                ? reading
                : new PageStateReading() {
                    @Override
                    public PageStates pageStates(MemoryRange range) {
                        return PageStates.unknown(range, backend.pageSize()).build();
                    }
                };
    }

    /**
     * Verifies that each declared capability has its ability.
     *
     * @throws IllegalArgumentException if one is missing
     */
    static void check(Backend backend) {
        for (Capability capability : backend.capabilities()) {
            Class<?> type = typeOf(capability);
            if (type != null && !backend.ability(type).isPresent()) {
                throw new IllegalArgumentException("backend " + backend.info() + " declares the capability "
                        + capability + " and does not implement " + type.getName());
            }
        }
    }

    private static Class<?> typeOf(Capability capability) {
        switch (capability) {
            case LOCK_ADDRESS_SPACE:
            case LOCK_ADDRESS_SPACE_ON_FAULT:
                return AddressSpaceLocking.class;
            case SYNC:
                return Syncing.class;
            case RESIDENT_PAGES:
            case LOCKED_PAGES:
                return PageStateReading.class;
            case NATIVE_ASYNC:
                return AsyncLocking.class;
            case PAGE_IN:
                return PagingIn.class;
            default:
                return null;
        }
    }
}
