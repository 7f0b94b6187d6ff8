// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.standin.ForeignSystem;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class FreeBsdProviderTest {
    private final FreeBsdProvider provider = new FreeBsdProvider();

    private static Host host(String name) {
        return new Host(name, "15.1-RELEASE", "amd64", 64);
    }

    @Test
    void freeBsdIsAccepted() {
        assertEquals(Optional.empty(), provider.refusal(host("FreeBSD")));
    }

    @Test
    void otherSystemsAreRefusedByName() {
        for (String name : new String[] {"Linux", "GNU/kFreeBSD", "DragonFlyBSD", "OpenBSD", ""}) {
            String refusal = provider.refusal(host(name)).orElse("");
            assertTrue(refusal.contains("not FreeBSD") && refusal.contains(name), refusal);
        }
    }

    /** The property that names a backend makes discovery open it only if it accepts the host; this is the second bolt. */
    @Test
    void theWrongSystemCannotBeForced() {
        PageLockException refused = assertThrows(PageLockException.class, () -> provider.open(host("Linux")));
        assertEquals(Reason.NOT_SUPPORTED, refused.reason());
    }

    @Test
    void theBackendCannotBeForcedOnAnotherSystem() {
        ForeignSystem.cannotBeForced(provider);
    }

    @Test
    void itIsFoundAndNamed() {
        List<String> names = new ArrayList<>();
        ServiceLoader.load(BackendProvider.class).forEach(each -> names.add(each.name()));
        assertTrue(names.contains("freebsd"), names.toString());
        assertEquals("freebsd", provider.name());
    }

    @Test
    void servicesFileAndDescriptorAgree() throws IOException {
        String service = new String(
                        Files.readAllBytes(
                                Paths.get("src/main/resources/META-INF/services/" + BackendProvider.class.getName())),
                        StandardCharsets.UTF_8)
                .trim();
        String descriptor =
                new String(Files.readAllBytes(Paths.get("src/main/java9/module-info.java")), StandardCharsets.UTF_8);
        assertEquals(FreeBsdProvider.class.getName(), service);
        assertTrue(descriptor.contains("provides " + BackendProvider.class.getName()), descriptor);
        assertTrue(descriptor.contains(service + ";"), descriptor);
    }
}
