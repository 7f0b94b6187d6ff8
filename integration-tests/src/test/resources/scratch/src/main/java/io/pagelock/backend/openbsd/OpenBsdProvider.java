// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.openbsd;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.lang.invoke.MethodHandles;
import java.util.Optional;

/** Finds the backend for OpenBSD. For {@link java.util.ServiceLoader}. */
public final class OpenBsdProvider implements BackendProvider {
    /** Makes a provider; touches nothing. */
    public OpenBsdProvider() {}

    @Override
    public String name() {
        return "openbsd";
    }

    @Override
    public Optional<String> refusal(Host host) {
        return host.osName().equalsIgnoreCase("openbsd")
                ? Optional.empty()
                : Optional.of("os.name is " + host.osName() + ", not OpenBSD");
    }

    @Override
    public Backend open(Host host) {
        return backend(CLibrary.open(host), host);
    }

    /** For the stand-in: the same backend over another library. */
    static Backend backend(CLibrary library, Host host) {
        return new OpenBsdBackend(library.bind(MethodHandles.lookup(), OpenBsdCalls.class), library, host);
    }
}
