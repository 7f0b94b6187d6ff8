// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds the backend for Linux, with glibc or musl, on the processors that the kernel's headers were read for. For
 * {@link java.util.ServiceLoader}; programs have no use for it.
 */
public final class LinuxProvider implements BackendProvider {
    /** Makes a provider; touches nothing. */
    public LinuxProvider() {}

    @Override
    public String name() {
        return "linux";
    }

    @Override
    public Optional<String> refusal(Host host) {
        if (!host.osName().toLowerCase(Locale.ROOT).equals("linux")) {
            return Optional.of("os.name is " + host.osName() + ", not Linux");
        }
        if (!LinuxConstants.forArch(host.arch()).isPresent()) {
            return Optional.of("os.arch is " + host.arch() + ", for which no constants are known; known are "
                    + String.join(", ", LinuxConstants.processors()));
        }
        return Optional.empty();
    }

    @Override
    public Backend open(Host host) {
        Optional<LinuxConstants> constants = LinuxConstants.forArch(host.arch());
        if (!constants.isPresent()) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail(refusal(host).orElse(""))
                    .build();
        }
        CLibrary library = CLibrary.open(host);
        LinuxBackend backend = new LinuxBackend(
                LinuxCalls.bind(library),
                constants.get(),
                ProcFiles.SYSTEM,
                library,
                host,
                System.getProperty("java.home", "JAVA_HOME") + "/bin/java");
        return host.bits() == 32 ? backend : backend.guardedBy(library, host.arch());
    }
}
