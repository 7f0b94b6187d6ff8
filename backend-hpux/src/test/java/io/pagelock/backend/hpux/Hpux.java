// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.spi.Host;
import java.nio.file.Path;

/** The stand-in for HP-UX, and backends over it. */
final class Hpux {
    /** The data model is that of this JVM, for which the stand-in is compiled. */
    static final int BITS = Host.current().bits();

    static final Host HOST = new Host("HP-UX", "B.11.31", BITS == 64 ? "IA64W" : "IA64N", BITS);
    /** What the probe would print where the stand-in's numbers are the system's. */
    static final Path PROBE =
            Path.of("src/test/resources/io/pagelock/backend/hpux/probe-" + (BITS == 64 ? "LP64" : "ILP32") + ".csv");

    private static Hpux once;

    final StandIn standIn;
    private final CLibrary library;

    private Hpux(StandIn standIn) {
        this.standIn = standIn;
        library = CLibrary.open(Host.current(), standIn.file().toString());
    }

    /** The one of this process, with all knobs as they were initially. */
    static synchronized Hpux open() {
        // Not by a class's initializer, which would make an error of a test that is to be skipped.
        if (once == null) {
            once = new Hpux(StandIn.of(Path.of("src/test/c/hpux.c")));
        }
        once.standIn.reset();
        return once;
    }

    HpuxBackend probed() {
        return HpuxProvider.backend(library, HpuxNumbers.read(PROBE, BITS), HOST);
    }

    HpuxBackend unprobed() {
        return HpuxProvider.backend(library, HpuxNumbers.read(null, BITS), HOST);
    }
}
