// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.spi.Host;
import java.nio.file.Path;

/** The stand-in for IRIX, and backends over it. */
final class Irix {
    /** The data model is that of this JVM, for which the stand-in is compiled. */
    static final Host HOST = new Host("IRIX64", "6.5", "mips", Host.current().bits());

    private static Irix once;

    final StandIn standIn;
    private final CLibrary library;

    private Irix(StandIn standIn) {
        this.standIn = standIn;
        library = CLibrary.open(Host.current(), standIn.file().toString());
    }

    /** The one of this process, with all knobs as they were initially. */
    static synchronized Irix open() {
        // Not by a class's initializer, which would make an error of a test that is to be skipped.
        if (once == null) {
            once = new Irix(StandIn.of(Path.of("src/test/c/irix.c")));
        }
        once.standIn.reset();
        return once;
    }

    /** The same with its knobs as they are. */
    static synchronized StandIn standIn() {
        return once == null ? open().standIn : once.standIn;
    }

    IrixBackend backend() {
        return IrixProvider.backend(library, IrixNumbers.read(null, HOST.bits()), HOST);
    }
}
