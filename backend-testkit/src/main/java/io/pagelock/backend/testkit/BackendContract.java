// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;

/**
 * Tests the contract of a backend: one test or more for each rule of {@code docs/semantics.md} that a backend can
 * break. The name of a test begins with the number of its rule. A backend is done when all tests pass, and each skipped
 * test is skipped for something that its system lacks.
 *
 * <pre>{@code
 * class LinuxContractTest extends BackendContract {
 *     protected Harness open() {
 *         return new LinuxHarness();
 *     }
 * }
 * }</pre>
 *
 * <p>Tests lock at most 6 pages, except that of L20, which locks 8 MiB, and those of group A, which only run if the
 * harness declares {@link Harness.Ability#LOCK_ADDRESS_SPACE}. They run in any process: a test that the limits do not
 * permit is skipped with the numbers, and a refusal that they do not explain is a failure. So run the contract in
 * several processes with different limits: none, 64 KiB, 0. The tests use the process's memory and must not run in
 * parallel.
 *
 * <p>See {@link RuleReport} for a table of the outcome.
 */
@ExtendWith(RuleReport.class)
public abstract class BackendContract extends TranslationRules {
    /** Serves subclasses. */
    protected BackendContract() {}

    @Test
    void B1_whatIsNotDeclaredIsRefusedBeforeAnySystemCall() {
        List<String> calls = new ArrayList<>();
        PageLocker recorded = locker(recording(calls));
        MemoryRange range = pages(harness.map(1), 1);
        for (Capability missing : EnumSet.complementOf(declared())) {
            Executable use = use(recorded, missing, range);
            if (use != null) {
                assertThrows(UnsupportedOperationException.class, use, missing.toString());
            }
        }
        assertEquals(Collections.emptyList(), calls);
    }

    private EnumSet<Capability> declared() {
        EnumSet<Capability> declared = EnumSet.noneOf(Capability.class);
        declared.addAll(backend.capabilities());
        return declared;
    }

    private static Executable use(PageLocker locker, Capability capability, MemoryRange range) {
        switch (capability) {
            case LOCK_ON_FAULT:
                return () -> locker.lock(range, LockOption.ON_FAULT).close();
            case LOCK_ADDRESS_SPACE:
                return () -> locker.lockAddressSpace(AddressSpaceScope.FUTURE).close();
            case LOCK_ADDRESS_SPACE_ON_FAULT:
                return () -> locker.lockAddressSpace(AddressSpaceScope.FUTURE, LockOption.ON_FAULT)
                        .close();
            case SYNC:
                return () -> locker.sync(range);
            default:
                return null;
        }
    }

    @Test
    void B1_whatIsDeclaredWorksOrIsRefusedByName() {
        MemoryRange range = pages(harness.map(1), 1);
        for (Capability capability : declared()) {
            Executable use = use(locker, capability, range);
            boolean allOfMemory =
                    capability == Capability.LOCK_ADDRESS_SPACE || capability == Capability.LOCK_ADDRESS_SPACE_ON_FAULT;
            if (use == null || allOfMemory && !harness.abilities().contains(Ability.LOCK_ADDRESS_SPACE)) {
                continue;
            }
            try {
                use.execute();
            } catch (PageLockException e) {
                boolean named = e.reason() == Reason.OVER_LIMIT || e.reason() == Reason.NOT_PERMITTED;
                assertEquals(true, named && harness.room() < page, e.getMessage());
            } catch (Throwable e) {
                throw new AssertionError("the backend declares " + capability + " and cannot do it", e);
            }
        }
    }

    @Test
    void B1_whatABackendSaysOfItselfStaysTheSame() {
        assertEquals(backend.capabilities(), backend.capabilities());
        assertEquals(backend.info().toString(), backend.info().toString());
        assertEquals(backend.addressBits(), backend.addressBits());
        assertDoesNotThrow(() -> locker(backend).limits());
    }

    @Test
    void B3_theProviderRefusesOtherSystems() {
        needs(Ability.PROVIDE);
        BackendProvider provider = harness.provider();
        assertEquals(provider.name(), backend.info().name());
        Host other = new Host("no such system", "0", System.getProperty("os.arch"), 64);
        assertFalse(provider.refusal(other).orElse("").isEmpty(), "the provider accepts any system");
    }
}
