// SPDX-License-Identifier: Apache-2.0
/** The command {@code pagelock}. */
module io.pagelock.cli {
    requires com.google.gson;
    requires info.picocli;
    requires io.pagelock;
    requires io.pagelock.backend.linux;
    requires io.pagelock.backend.support;
    requires io.pagelock.files;
    requires java.logging;

    uses io.pagelock.spi.BackendProvider;

    exports io.pagelock.cli;

    opens io.pagelock.cli to
            info.picocli;
}
