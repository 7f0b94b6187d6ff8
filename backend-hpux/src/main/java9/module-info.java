// SPDX-License-Identifier: Apache-2.0
/** Locks pages on HP-UX. */
module io.pagelock.backend.hpux {
    requires transitive io.pagelock;
    requires io.pagelock.backend.support;
    requires static org.jspecify;

    exports io.pagelock.backend.hpux;

    provides io.pagelock.spi.BackendProvider with
            io.pagelock.backend.hpux.HpuxProvider;
}
