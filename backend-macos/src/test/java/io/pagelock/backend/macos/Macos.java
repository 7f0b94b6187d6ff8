// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.spi.Host;
import java.nio.file.Path;

/** The stand-in for macOS, and backends over it. */
final class Macos {
    static final Host HOST =
            new Host("Mac OS X", "15.5", "aarch64", Host.current().bits());

    private static Macos once;

    final StandIn standIn;
    private final CLibrary library;

    private Macos(StandIn standIn) {
        this.standIn = standIn;
        library = CLibrary.open(Host.current(), standIn.file().toString());
    }

    /** The one of this process, with all knobs as they were initially. */
    static synchronized Macos open() {
        // Not by a class's initializer, which would make an error of a test that is to be skipped.
        if (once == null) {
            once = new Macos(StandIn.of(Path.of("src/test/c/macos.c")));
        }
        once.standIn.reset();
        return once;
    }

    MacosBackend backend() {
        return MacosProvider.backend(library, HOST);
    }
}
