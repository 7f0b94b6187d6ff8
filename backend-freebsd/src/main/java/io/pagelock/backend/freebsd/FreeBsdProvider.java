// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds the backend for FreeBSD. For {@link java.util.ServiceLoader}; programs have no use for it.
 */
public final class FreeBsdProvider implements BackendProvider {
    /** Makes a provider; touches nothing. */
    public FreeBsdProvider() {}

    @Override
    public String name() {
        return "freebsd";
    }

    @Override
    public Optional<String> refusal(Host host) {
        return host.osName().toLowerCase(Locale.ROOT).equals("freebsd")
                ? Optional.empty()
                : Optional.of("os.name is " + host.osName() + ", not FreeBSD");
    }

    @Override
    public Backend open(Host host) {
        Optional<String> refusal = refusal(host);
        if (refusal.isPresent()) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail(refusal.get())
                    .build();
        }
        return FreeBsdBackend.over(CLibrary.open(host), host);
    }
}
