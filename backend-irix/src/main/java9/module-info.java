// SPDX-License-Identifier: Apache-2.0
/** Locks pages on IRIX. */
module io.pagelock.backend.irix {
    requires transitive io.pagelock;
    requires io.pagelock.backend.support;
    requires static org.jspecify;

    exports io.pagelock.backend.irix;

    provides io.pagelock.spi.BackendProvider with
            io.pagelock.backend.irix.IrixProvider;
}
