// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.openbsd;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.BackendContract;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.backend.testkit.standin.StandInHarness;
import io.pagelock.spi.Host;
import java.nio.file.Path;

/** The contract over the stand-in. */
class OpenBsdContractTest extends BackendContract {
    static final StandIn STAND_IN = StandIn.of(Path.of("src/test/c/openbsd.c"));
    private static final CLibrary LIBRARY =
            CLibrary.open(Host.current(), STAND_IN.file().toString());

    @Override
    protected Harness open() {
        Host host = new Host("OpenBSD", "7.6", "amd64", Host.current().bits());
        return new StandInHarness(
                        STAND_IN, OpenBsdProvider.backend(LIBRARY, host), new OpenBsdProvider(), "mlock", "munlock", 5)
                .withLimit("memlock");
    }
}
