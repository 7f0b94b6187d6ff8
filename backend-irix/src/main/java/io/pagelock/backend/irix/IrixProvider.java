// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.SystemNumbers;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.nio.file.Paths;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds the backend for IRIX 6.5. For {@link java.util.ServiceLoader}; programs have no use for it, except for the names of
 * its properties.
 *
 * <p>No JVM that can load JNA ever ran on IRIX. This backend is the worked example of {@code docs/writing-a-backend.md}.
 */
public final class IrixProvider implements BackendProvider {
    /**
     * The system property that names a file with the output of {@code tools/abi-probe}, compiled on the machine itself. Its
     * numbers take the place of those that no source confirms.
     */
    public static final String ABI_PROPERTY = "io.pagelock.irix.abi";

    /**
     * The system property that chooses the system's functions: {@code mlock}, the default, or {@code mpin}, which counts per
     * page, so that pages pinned by other code of the process stay locked when the last handle over them closes.
     */
    public static final String CALL_PROPERTY = "io.pagelock.irix.call";

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
        String call = System.getProperty(CALL_PROPERTY, "mlock");
        if (!call.equals("mlock") && !call.equals("mpin")) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the property " + CALL_PROPERTY + " is '" + call + "'; it is mlock or mpin")
                    .remedy("Remove -D" + CALL_PROPERTY + " or set it to mlock")
                    .build();
        }
        String probe = System.getProperty(ABI_PROPERTY);
        SystemNumbers numbers = IrixNumbers.read(probe == null ? null : Paths.get(probe), host.bits());
        return backend(CLibrary.open(host), numbers, call.equals("mpin"), host);
    }

    /** For the stand-in: the same backend over another library. */
    static IrixBackend backend(CLibrary library, SystemNumbers numbers, boolean pin, Host host) {
        IrixCalls calls = IrixCalls.bind(library, host.bits());
        if (pin && !calls.hasMpin()) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the C library of this process lacks mpin")
                    .remedy("Remove -D" + CALL_PROPERTY + ", so that mlock is used")
                    .build();
        }
        return new IrixBackend(calls, numbers, pin, library::address, host);
    }
}
