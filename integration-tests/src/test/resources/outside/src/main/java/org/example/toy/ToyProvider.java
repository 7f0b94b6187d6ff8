// SPDX-License-Identifier: Apache-2.0
package org.example.toy;

import io.pagelock.backend.testkit.FakeBackend;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.util.Optional;

/** The entry of a backend for a system that does not exist. */
public final class ToyProvider implements BackendProvider {
    @Override
    public String name() {
        return "toy";
    }

    @Override
    public Optional<String> refusal(Host host) {
        return host.osName().equals("Toy OS")
                ? Optional.empty()
                : Optional.of("os.name is " + host.osName() + ", not Toy OS");
    }

    @Override
    public Backend open(Host host) {
        return over(kernel());
    }

    static FakeKernel kernel() {
        return new FakeKernel(KernelRules.of("toy"));
    }

    static Backend over(FakeKernel kernel) {
        return new FakeBackend(kernel);
    }
}
