// SPDX-License-Identifier: Apache-2.0
/** Locks pages on Solaris and illumos. */
module io.pagelock.backend.solaris {
    requires transitive io.pagelock;
    requires io.pagelock.backend.support;
    requires static org.jspecify;

    exports io.pagelock.backend.solaris;

    provides io.pagelock.spi.BackendProvider with
            io.pagelock.backend.solaris.SolarisProvider;
}
