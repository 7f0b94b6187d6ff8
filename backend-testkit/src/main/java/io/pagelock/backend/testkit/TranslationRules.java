// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.util.Collections;
import java.util.ServiceLoader;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** What a translation into calls gets wrong without any other rule noticing: widths, flags, results, units, names. */
abstract class TranslationRules extends GuardRules {
    /** Of a width of 32 bits one page is left, which is mapped; the rest is a hole. */
    @Test
    void L3_aLengthOfMoreThan32BitsIsNotCutOff() {
        assumeTrue(backend.addressBits() == 64, "needs addresses of 64 bits");
        long length = (1L << 32) + page;
        long memory = harness.map(1);
        try {
            assertThrows(PageLockException.class, () -> lockWhole(memory, length), "locked 4 GiB of a hole");
        } finally {
            unlockQuietly(memory, page);
        }
    }

    @Test
    void L10_aLengthOfMoreThan32BitsIsNotCutOffInUnlock() {
        assumeTrue(backend.addressBits() == 64, "needs addresses of 64 bits");
        long memory = harness.map(1);
        assertThrows(
                PageLockException.class, () -> backend.unlock(memory, (1L << 32) + page), "unlocked 4 GiB of a hole");
    }

    /** Not through the engine, which goes in steps. */
    private void lockWhole(long address, long length) {
        backend.lock(address, length, Collections.emptySet());
    }

    private void unlockQuietly(long address, long length) {
        try {
            backend.unlock(address, length);
        } catch (PageLockException e) {
            // Without the right to lock there is nothing to unlock.
            assertEquals(0, harness.room(), e.getMessage());
        }
    }

    @Test
    void S1_theSystemIsAskedForWhatTheCallerAskedFor() {
        needs(Capability.SYNC);
        needs(Ability.SEE_SYNC);
        long memory = harness.map(1);
        locker.sync(pages(memory, 1));
        assertEquals("sync", harness.lastSync());
        locker.sync(pages(memory, 1), SyncOption.ASYNC);
        assertEquals("async", harness.lastSync());
        locker.sync(pages(memory, 1), SyncOption.INVALIDATE);
        assertEquals("sync invalidate", harness.lastSync());
    }

    @Test
    void A5_aRefusedEndIsReported() {
        needs(Capability.LOCK_ADDRESS_SPACE);
        needs(Ability.REFUSE_UNLOCK_ALL);
        needsRoom(1);
        harness.refuseUnlockAll(true);
        AddressSpaceLocking all = backend.ability(AddressSpaceLocking.class).get();
        assertThrows(PageLockException.class, () -> all.unlockAll(Collections.emptyList()));
        harness.refuseUnlockAll(false);
        all.unlockAll(Collections.emptyList());
    }

    @Test
    void F4_withoutTheRightNoPrivilegeIsClaimed() {
        needs(Ability.FORBID);
        harness.forbid(true);
        assertNotEquals(Tristate.YES, locker.limits().privileged());
    }

    @Test
    void P1_aPageThatItsFileHasLostIsNotInMemory() {
        needs(Ability.TRUNCATE, Ability.SHORTEN_LOCKED, Ability.SEE_RESIDENT);
        needsRoom(3);
        long memory = harness.mapFile(3);
        try (PageLock lock = locker.lock(pages(memory, 3))) {
            harness.truncate(memory, 1);
            assertFalse(harness.isResident(memory + page), "the harness has not shortened the file");
            PageStates states = locker.pageStates(pages(memory, 3));
            assertNotEquals(Tristate.NO, states.resident(0));
            for (int i = 1; i < 3; i++) {
                assertNotEquals(Tristate.YES, states.resident(i), "resident, page " + i);
                assertNotEquals(Tristate.YES, states.locked(i), "locked, page " + i);
            }
        }
    }

    @Test
    void P3_theLimitOfTheSystemIsInBytes() {
        needs(Ability.SET_SYSTEM_LIMIT, Ability.SEE_LOCKED_BYTES);
        long bytes = harness.lockedBytes() + 1000 * page;
        harness.setSystemLimit(bytes);
        assertTrue(
                backend.limits().all().stream().anyMatch(each -> each.soft().equals(LimitValue.ofBytes(bytes))),
                () -> "no limit is " + bytes + " bytes: " + backend.limits());
    }

    @Test
    void B3_theProviderAcceptsItsSystemAndNoneWithALongerName() {
        needs(Ability.PROVIDE);
        BackendProvider provider = harness.provider();
        String system = backend.info().system();
        String name = system.contains(" ") ? system.substring(0, system.lastIndexOf(' ')) : system;
        String arch = backend.info().arch();
        int bits = backend.addressBits();
        assertEquals("", provider.refusal(new Host(name, "0", arch, bits)).orElse(""));
        for (String other : new String[] {"", name + "ish", "Not " + name}) {
            assertFalse(
                    provider.refusal(new Host(other, "0", arch, bits))
                            .orElse("")
                            .isEmpty(),
                    () -> "the provider of " + name + " accepts '" + other + "'");
        }
    }

    @Test
    void B3_theProviderIsFoundAsAService() {
        needs(Ability.PROVIDE);
        Class<?> type = harness.provider().getClass();
        assertTrue(
                StreamSupport.stream(ServiceLoader.load(BackendProvider.class).spliterator(), false)
                        .anyMatch(each -> each.getClass() == type),
                () -> "META-INF/services/" + BackendProvider.class.getName() + " does not list " + type.getName());
    }
}
