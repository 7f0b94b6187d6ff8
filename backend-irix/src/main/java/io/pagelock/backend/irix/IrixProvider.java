// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

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
 * Finds the backend for IRIX 6.5. For {@link java.util.ServiceLoader}; programs have no use for it, except for
 * {@value #ABI_PROPERTY}.
 *
 * <p>No JVM that can load JNA ever ran on IRIX. This backend is the worked example of {@code docs/writing-a-backend.md}.
 */
public final class IrixProvider implements BackendProvider {
    /**
     * The system property that names a file with the output of {@code tools/abi-probe}, compiled on the machine itself. Its
     * numbers take the place of those that no source confirms.
     */
    public static final String ABI_PROPERTY = "io.pagelock.irix.abi";

    /** Makes a provider; touches nothing. */
    public IrixProvider() {}

    @Override
    public String name() {
        return "irix";
    }

    @Override
    public Optional<String> refusal(Host host) {
        String name = host.osName().toLowerCase(Locale.ROOT);
        return name.equals("irix") || name.equals("irix64")
                ? Optional.empty()
                : Optional.of("os.name is " + host.osName() + ", not IRIX or IRIX64");
    }

    @Override
    public Backend open(Host host) {
        String probe = System.getProperty(ABI_PROPERTY);
        SystemNumbers numbers = IrixNumbers.read(probe == null ? null : Paths.get(probe), host.bits());
        return backend(CLibrary.open(host), numbers, host);
    }

    /** For the stand-in: the same backend over another library. */
    static IrixBackend backend(CLibrary library, SystemNumbers numbers, Host host) {
        return new IrixBackend(library.bind(MethodHandles.lookup(), IrixCalls.class), numbers, library, host);
    }
}
