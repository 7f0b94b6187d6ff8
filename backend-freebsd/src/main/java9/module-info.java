// SPDX-License-Identifier: Apache-2.0
/** Locks pages on FreeBSD. */
module io.pagelock.backend.freebsd {
    requires transitive io.pagelock;
    requires io.pagelock.backend.support;
    requires static org.jspecify;

    exports io.pagelock.backend.freebsd;

    provides io.pagelock.spi.BackendProvider with
            io.pagelock.backend.freebsd.FreeBsdProvider;
}
