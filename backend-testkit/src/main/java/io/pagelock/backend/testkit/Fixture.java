// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Backend;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;

/** What the rules share: a harness and a locker per test, assumptions that name what is missing, and the witness. */
abstract class Fixture {
    /** How long something may take that is certain to happen. */
    long patienceMillis = 20_000;

    Harness harness;
    Backend backend;
    private OneTestBackend ofThisTest;
    PageLocker locker;
    long page;

    /**
     * Opens the harness for one test; it is closed afterwards.
     *
     * @return a new harness
     */
    protected abstract Harness open();

    /**
     * Makes the locker under test. Only for testing the contract itself.
     *
     * @param over the backend
     * @return a new locker
     */
    protected PageLocker locker(Backend over) {
        return PageLockers.over(over);
    }

    @BeforeEach
    void openHarness() {
        harness = open();
        ofThisTest = new OneTestBackend(harness.backend());
        backend = ofThisTest;
        page = harness.pageSize();
        locker = locker(backend);
    }

    @AfterEach
    void closeHarness() {
        if (ofThisTest != null) {
            ofThisTest.end();
        }
        if (harness != null) {
            harness.close();
        }
    }

    void needs(Ability... abilities) {
        for (Ability ability : abilities) {
            assumeTrue(harness.abilities().contains(ability), () -> "needs the ability " + ability);
        }
    }

    void needs(Capability... capabilities) {
        for (Capability capability : capabilities) {
            assumeTrue(backend.capabilities().contains(capability), () -> "needs the capability " + capability);
        }
    }

    /** Makes the test run only where so many pages may be locked. */
    void needsRoom(long pages) {
        long room = harness.room();
        assumeTrue(
                room >= pages * page,
                () -> "needs to lock " + pages * page + " bytes, but this process may lock " + room);
    }

    /** What a lock of the whole address space would be charged for, where the system says it. */
    OptionalLong addressSpaceBytes() {
        return backend.ability(AddressSpaceLocking.class)
                .map(AddressSpaceLocking::addressSpaceBytes)
                .orElse(OptionalLong.empty());
    }

    /** Makes the test run only where a lock of the whole address space is possible and tolerable. */
    void needsAddressSpace() {
        needs(Capability.LOCK_ADDRESS_SPACE);
        needs(Ability.LOCK_ADDRESS_SPACE);
        long size = addressSpaceBytes().orElse(Long.MAX_VALUE / 2);
        // Tests and JVM map more meanwhile.
        assumeTrue(
                harness.room() / 2 >= size,
                () -> "needs to lock twice the address space of " + size + " bytes, but this process may lock "
                        + harness.room());
    }

    MemoryRange pages(long address, long count) {
        return MemoryRange.of(address, count * page);
    }

    boolean isLocked(long address, long index) {
        return harness.isLocked(address + index * page);
    }

    /** The pages from the address on that the witness calls locked, as a string of 1 and 0. */
    String locked(long address, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(isLocked(address, i) ? '1' : '0');
        }
        return text.toString();
    }

    void assertLocked(String expected, long address) {
        assertEquals(expected, locked(address, expected.length()), "locked pages by the witness");
    }

    PageLockException refusal(Reason reason, Executable call) {
        PageLockException refused = assertThrows(PageLockException.class, call);
        assertEquals(reason, refused.reason(), refused.getMessage());
        return refused;
    }

    /** Collects garbage until the condition holds or patience ends. */
    boolean afterCollection(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + patienceMillis * 1_000_000;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            System.gc();
            Thread.sleep(10);
        }
        return true;
    }

    /** A backend that passes every call on and writes down what asks the system to act: lock, unlock, sync, all. */
    Backend recording(List<String> calls) {
        List<String> synced = Collections.synchronizedList(calls);
        return new ForwardingBackend(backend) {
            @Override
            public void lock(long address, long length, Set<LockOption> options) {
                synced.add("lock" + Arrays.asList(address, length, options));
                super.lock(address, length, options);
            }

            @Override
            public void unlock(long address, long length) {
                synced.add("unlock" + Arrays.asList(address, length));
                super.unlock(address, length);
            }

            @Override
            public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
                synced.add("lockAll" + Arrays.asList(scope, options));
                super.lockAll(scope, options);
            }

            @Override
            public void unlockAll(List<MemoryRange> keep) {
                synced.add("unlockAll" + Collections.singletonList(keep));
                super.unlockAll(keep);
            }

            @Override
            public void sync(long address, long length, Set<SyncOption> options) {
                synced.add("sync" + Arrays.asList(address, length, options));
                super.sync(address, length, options);
            }
        };
    }
}
