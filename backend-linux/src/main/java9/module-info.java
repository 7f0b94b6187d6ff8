// SPDX-License-Identifier: Apache-2.0
/** Locks pages on Linux. */
@SuppressWarnings("module") // The command is built later.
module io.pagelock.backend.linux {
    requires transitive io.pagelock;
    requires io.pagelock.backend.support;
    requires static org.jspecify;

    exports io.pagelock.backend.linux;
    exports io.pagelock.backend.linux.proc to
            io.pagelock.cli;

    provides io.pagelock.spi.BackendProvider with
            io.pagelock.backend.linux.LinuxProvider;
}
