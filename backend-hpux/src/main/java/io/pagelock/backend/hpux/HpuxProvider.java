// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.PageLockException;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.SystemNumbers;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.lang.invoke.MethodHandles;
import java.nio.file.Paths;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds the backend for HP-UX 11i. For {@link java.util.ServiceLoader}; programs have no use for it, except for
 * {@value #ABI_PROPERTY}.
 */
public final class HpuxProvider implements BackendProvider {
    /**
     * The system property that names a file with the output of {@code tools/abi-probe}, compiled on the machine itself. Its
     * numbers take the place of those that no source confirms.
     */
    public static final String ABI_PROPERTY = "io.pagelock.hpux.abi";

    /** Makes a provider; touches nothing. */
    public HpuxProvider() {}

    @Override
    public String name() {
        return "hpux";
    }

    /** By the name of the system alone: HP-UX has a memcntl, too, and JNA does not know this system. */
    @Override
    public Optional<String> refusal(Host host) {
        return host.osName().toLowerCase(Locale.ROOT).equals("hp-ux")
                ? Optional.empty()
                : Optional.of("os.name is " + host.osName() + ", not HP-UX");
    }

    @Override
    public Backend open(Host host) {
        String probe = System.getProperty(ABI_PROPERTY);
        SystemNumbers numbers = HpuxNumbers.read(probe == null ? null : Paths.get(probe), host.bits());
        return backend(library(host), numbers, host);
    }

    /** For the stand-in: the same backend over another library. */
    static HpuxBackend backend(CLibrary library, SystemNumbers numbers, Host host) {
        return new HpuxBackend(library.bind(MethodHandles.lookup(), HpuxCalls.class), numbers, library, host);
    }

    private static CLibrary library(Host host) {
        try {
            return CLibrary.open(host);
        } catch (PageLockException e) {
            throw e.toBuilder()
                    .remedies("JNA brings no native library for HP-UX: build libjnidispatch from the sources of the"
                            + " version of JNA in use, for the data model of the JVM, and name its"
                            + " directory with"
                            + " -Djna.boot.library.path=DIRECTORY; see README.md of backend-hpux")
                    .build();
        }
    }
}
