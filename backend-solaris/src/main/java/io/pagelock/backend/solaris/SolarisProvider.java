// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.lang.invoke.MethodHandles;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Finds the backend for Solaris 10 and later and for illumos. For {@link java.util.ServiceLoader}; programs have no use for
 * it, except for {@value #CALL_PROPERTY}.
 */
public final class SolarisProvider implements BackendProvider {
    /**
     * The system property that chooses the system's function: {@code memcntl}, the default, or {@code mctl} of the BSD
     * compatibility library libucb, which adds nothing and loads BSD variants of C functions into the process.
     */
    public static final String CALL_PROPERTY = "io.pagelock.solaris.call";

    /** Makes a provider; touches nothing. */
    public SolarisProvider() {}

    @Override
    public String name() {
        return "solaris";
    }

    @Override
    public Optional<String> refusal(Host host) {
        String name = host.osName().toLowerCase(Locale.ROOT);
        return name.equals("sunos") || name.equals("solaris")
                ? Optional.empty()
                : Optional.of("os.name is " + host.osName() + ", not SunOS or Solaris");
    }

    @Override
    public Backend open(Host host) {
        String call = System.getProperty(CALL_PROPERTY, "memcntl");
        boolean mctl = call.equals("mctl");
        if (!mctl && !call.equals("memcntl")) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the property " + CALL_PROPERTY + " is '" + call + "'; use memcntl or mctl")
                    .remedies("Remove -D" + CALL_PROPERTY, "Set -D" + CALL_PROPERTY + "=memcntl")
                    .build();
        }
        CLibrary libc = CLibrary.open(host);
        return backend(libc, mctl ? libucb(host) : null, () -> CLibrary.open(host, "kstat"), ProcFiles.SYSTEM, host);
    }

    /** For stand-ins: the same backend over other libraries and files. */
    static Backend backend(CLibrary libc, CLibrary libucb, Supplier<CLibrary> libkstat, ProcFiles files, Host host) {
        return new SolarisBackend(
                libc.bind(MethodHandles.lookup(), SolarisCalls.class),
                libucb == null ? null : libucb.bind(MethodHandles.lookup(), SolarisCalls.Ucb.class),
                files,
                () -> SystemPages.read(libkstat),
                libc,
                host);
    }

    private static CLibrary libucb(Host host) {
        try {
            return CLibrary.open(host, libucbPath(host));
        } catch (PageLockException e) {
            throw e.toBuilder()
                    .remedies(
                            "Remove -D" + CALL_PROPERTY + ", so that memcntl of libc is used",
                            "Install the package compatibility/ucb")
                    .build();
        }
    }

    /** libucb is not on the default path, and has a directory for each data model. Source: its packages in illumos-gate. */
    static String libucbPath(Host host) {
        String arch = host.arch().toLowerCase(Locale.ROOT);
        String model = host.bits() == 32 ? "" : arch.startsWith("sparc") ? "sparcv9/" : "amd64/";
        return "/usr/ucblib/" + model + "libucb.so.1";
    }
}
