// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.lang.invoke.MethodHandles;
import java.util.Locale;
import java.util.Optional;

/** Finds the backend for macOS. For {@link java.util.ServiceLoader}; programs have no use for it. */
public final class MacosProvider implements BackendProvider {
    /** Makes a provider; touches nothing. */
    public MacosProvider() {}

    @Override
    public String name() {
        return "macos";
    }

    @Override
    public Optional<String> refusal(Host host) {
        String name = host.osName().toLowerCase(Locale.ROOT);
        return name.equals("mac os x") || name.equals("macos") || name.equals("darwin")
                ? Optional.empty()
                : Optional.of("os.name is " + host.osName() + ", not Mac OS X");
    }

    @Override
    public Backend open(Host host) {
        return backend(CLibrary.open(host), host);
    }

    /** For the stand-in: the same backend over another library. */
    static MacosBackend backend(CLibrary library, Host host) {
        return new MacosBackend(library.bind(MethodHandles.lookup(), MacosCalls.class), library, host);
    }
}
