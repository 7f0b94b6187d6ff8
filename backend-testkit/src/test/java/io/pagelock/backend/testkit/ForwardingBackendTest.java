// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.engine.PageLockers;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.FileReading;
import io.pagelock.spi.PagingIn;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ForwardingBackendTest {
    private final FakeBackend fake = new FakeBackend(new FakeKernel(Systems.of("linux")));

    /** A backend without one ability. */
    private Backend lacking(Class<?> missing) {
        return new ForwardingBackend(fake) {
            @Override
            public <A> Optional<A> ability(Class<A> type) {
                return type == missing ? Optional.empty() : super.ability(type);
            }
        };
    }

    @Test
    void hasTheAbilitiesOfTheOther() {
        Backend forwarding = new ForwardingBackend(lacking(PagingIn.class));
        assertSame(forwarding, forwarding.ability(AddressSpaceLocking.class).get());
        assertEquals(Optional.empty(), forwarding.ability(PagingIn.class));
        assertEquals(Optional.empty(), forwarding.ability(FileReading.class));
    }

    @Test
    void aCapabilityWithoutItsAbilityIsRefused() {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> PageLockers.over(lacking(PagingIn.class)));
        assertTrue(refused.getMessage().contains("PAGE_IN"), refused.getMessage());
        assertTrue(refused.getMessage().contains(PagingIn.class.getName()), refused.getMessage());
        PageLockers.over(lacking(FileReading.class));
    }
}
