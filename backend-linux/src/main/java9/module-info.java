// SPDX-License-Identifier: Apache-2.0
/** Locks pages on Linux. */
module io.pagelock.backend.linux {
    requires transitive io.pagelock;
    requires io.pagelock.backend.support;

    exports io.pagelock.backend.linux;

    provides io.pagelock.spi.BackendProvider with
            io.pagelock.backend.linux.LinuxProvider;
}
