// SPDX-License-Identifier: Apache-2.0
/** Locks pages on macOS. */
module io.pagelock.backend.macos {
    requires transitive io.pagelock;
    requires io.pagelock.backend.support;
    requires static org.jspecify;

    exports io.pagelock.backend.macos;

    provides io.pagelock.spi.BackendProvider with
            io.pagelock.backend.macos.MacosProvider;
}
